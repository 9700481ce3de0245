// SPDX-License-Identifier: Apache-2.0

/// An element of an XML file, as far as annotations use XML: elements with text and elements in them.
/// Attributes, comments, instructions and document types are passed over; entities are the five that XML
/// has itself, and numbers of characters.
package struct XMLElement: Hashable, Sendable {
  /// The name of its tag.
  package var name: String
  /// The text in it, without that of the elements in it.
  package var text = ""
  /// The elements directly in it.
  package var children: [XMLElement] = []

  /// Why a text is no XML.
  package struct Failure: Error, Hashable {
    /// The line, counted from 1.
    package var line: Int
    /// What is wrong with it.
    package var reason: String
  }

  /// The first element directly in it that has a name.
  package subscript(name: String) -> XMLElement? { children.first { $0.name == name } }

  /// The text without blanks around it.
  package var trimmed: String {
    let isBlank = { (character: Character) in character.isWhitespace }
    return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
  }

  /// Reads the one element that a file has.
  package init(_ bytes: [UInt8]) throws(Failure) {
    var reader = XMLReader(bytes: bytes)
    self = try reader.document()
  }

  fileprivate init(name: String) { self.name = name }
}

/// Goes through the bytes of a file once.
private struct XMLReader {
  /// More elements within each other than any annotation has.
  private static let deepest = 64

  let bytes: [UInt8]
  var place = 0

  init(bytes: [UInt8]) {
    self.bytes = bytes
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { place = 3 }
  }

  private func failure(_ reason: String) -> XMLElement.Failure {
    let line = bytes[..<min(place, bytes.count)].count { $0 == 0x0a } + 1
    return XMLElement.Failure(line: line, reason: reason)
  }

  private func isNext(_ text: StaticString) -> Bool {
    text.withUTF8Buffer { text in
      bytes.count - place >= text.count && bytes[place..<place + text.count].elementsEqual(text)
    }
  }

  private mutating func skip(past text: StaticString, _ what: String) throws(XMLElement.Failure) {
    while place < bytes.count {
      if isNext(text) {
        place += text.utf8CodeUnitCount
        return
      }
      place += 1
    }
    throw failure("\(what) is opened and never closed")
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d
  }

  private mutating func skipBlanks() {
    while place < bytes.count, Self.isBlank(bytes[place]) { place += 1 }
  }

  /// What stands between elements without being part of them.
  private mutating func skipAside() throws(XMLElement.Failure) -> Bool {
    if isNext("<!--") {
      try skip(past: "-->", "a comment")
    } else if isNext("<?") {
      try skip(past: "?>", "an instruction")
    } else if isNext("<!") && !isNext("<![CDATA[") {
      try skip(past: ">", "a declaration")
    } else {
      return false
    }
    return true
  }

  mutating func document() throws(XMLElement.Failure) -> XMLElement {
    repeat { skipBlanks() } while try skipAside()
    guard isNext("<") else { throw failure("it is no XML: it does not begin with an element") }
    let element = try element(depth: 0)
    repeat { skipBlanks() } while try skipAside()
    guard place == bytes.count else { throw failure("something follows the one element") }
    return element
  }

  private mutating func name() throws(XMLElement.Failure) -> String {
    let start = place
    while place < bytes.count, !Self.isBlank(bytes[place]), bytes[place] != UInt8(ascii: ">"),
      bytes[place] != UInt8(ascii: "/"), bytes[place] != UInt8(ascii: "<")
    {
      place += 1
    }
    guard place > start, let name = String(validating: bytes[start..<place], as: UTF8.self) else {
      throw failure("a tag without a name")
    }
    return name
  }

  /// An element, at the beginning of its tag.
  private mutating func element(depth: Int) throws(XMLElement.Failure) -> XMLElement {
    guard depth < Self.deepest else { throw failure("elements are too deep within each other") }
    place += 1
    var element = XMLElement(name: try name())
    // Attributes: a bracket in quotes does not end the tag.
    var quote: UInt8?
    while true {
      guard place < bytes.count else { throw failure("the tag <\(element.name)> has no end") }
      let byte = bytes[place]
      place += 1
      if let open = quote {
        if byte == open { quote = nil }
      } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        quote = byte
      } else if byte == UInt8(ascii: ">") {
        if bytes[place - 2] == UInt8(ascii: "/") { return element }
        break
      }
    }
    var text: [UInt8] = []
    while place < bytes.count {
      if isNext("</") {
        place += 2
        let closed = try name()
        guard closed == element.name else {
          throw failure("</\(closed)> closes <\(element.name)>")
        }
        skipBlanks()
        guard isNext(">") else { throw failure("the tag </\(closed)> has no end") }
        place += 1
        guard let content = String(validating: text, as: UTF8.self) else {
          throw failure("it is not text in UTF-8")
        }
        element.text = content
        return element
      }
      if isNext("<![CDATA[") {
        let start = place + 9
        try skip(past: "]]>", "a CDATA section")
        text += bytes[start..<place - 3]
      } else if try skipAside() {
        continue
      } else if isNext("<") {
        element.children.append(try self.element(depth: depth + 1))
      } else if isNext("&") {
        text += try entity()
      } else {
        text.append(bytes[place])
        place += 1
      }
    }
    throw failure("<\(element.name)> is opened and never closed")
  }

  private mutating func entity() throws(XMLElement.Failure) -> [UInt8] {
    let start = place + 1
    guard let end = bytes[start...].prefix(12).firstIndex(of: UInt8(ascii: ";")) else {
      throw failure("an & that begins no entity")
    }
    place = end + 1
    let name = String(decoding: bytes[start..<end], as: UTF8.self)
    switch name {
    case "lt": return [UInt8(ascii: "<")]
    case "gt": return [UInt8(ascii: ">")]
    case "amp": return [UInt8(ascii: "&")]
    case "quot": return [UInt8(ascii: "\"")]
    case "apos": return [UInt8(ascii: "'")]
    default:
      let number =
        name.hasPrefix("#x")
        ? UInt32(name.dropFirst(2), radix: 16)
        : name.hasPrefix("#") ? UInt32(name.dropFirst()) : nil
      guard let scalar = number.flatMap(Unicode.Scalar.init) else {
        throw failure("there is no entity &\(name);")
      }
      return Array(String(Character(scalar)).utf8)
    }
  }
}
