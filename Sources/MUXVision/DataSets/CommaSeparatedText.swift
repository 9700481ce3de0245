// SPDX-License-Identifier: Apache-2.0

/// The rows of a text of comma-separated values (RFC 4180), each with the line that it begins at.
///
/// Fields may stand in quotes, with `""` for a quote in them, and then hold commas and line breaks.
/// Lines end with CR, LF or both; a byte order mark at the start and lines without anything are
/// passed over. Blanks around a field without quotes are not part of it.
package struct CommaSeparatedText {
  package struct Row: Hashable, Sendable {
    /// The number of its first line, counted from 1.
    package let line: Int
    /// Its fields, at least one.
    package let fields: [String]
    /// Where it stands among the bytes of the text, its line end left out.
    package let place: Range<Int>
  }

  /// Why a text is none of this kind.
  package struct Failure: Error, Hashable {
    /// The line, counted from 1.
    package let line: Int
    /// What is wrong with it.
    package let reason: String
  }

  /// The rows from top to bottom.
  package private(set) var rows: [Row] = []

  /// Reads the bytes of a text in UTF-8.
  /// - Throws: `Failure`, which names the line.
  package init(_ bytes: [UInt8]) throws(Failure) {
    if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
      throw Failure(line: 1, reason: "the file is in UTF-16; save it in UTF-8")
    }
    var reader = Reader(bytes: bytes, place: bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0)
    while let row = try reader.row() {
      if row.fields != [""] { rows.append(row) }
    }
  }
}

/// Goes through the bytes of a text once.
private struct Reader {
  private static let quote = UInt8(ascii: "\"")
  private static let comma = UInt8(ascii: ",")

  let bytes: [UInt8]
  var place: Int
  var line = 1

  private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

  private static func isLineEnd(_ byte: UInt8) -> Bool { byte == 0x0a || byte == 0x0d }
  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  /// The next row; nil at the end.
  mutating func row() throws(CommaSeparatedText.Failure) -> CommaSeparatedText.Row? {
    guard place < bytes.count else { return nil }
    let (first, start) = (line, place)
    var fields = [try field()]
    while next == Self.comma {
      place += 1
      fields.append(try field())
    }
    let end = place
    if next != nil { endLine() }
    return CommaSeparatedText.Row(line: first, fields: fields, place: start..<end)
  }

  private mutating func endLine() {
    if next == 0x0d {
      place += 1
      if next == 0x0a { place += 1 }
    } else {
      place += 1
    }
    line += 1
  }

  private mutating func skipBlanks() {
    while let byte = next, Self.isBlank(byte) { place += 1 }
  }

  /// The next field; what follows is a comma, the end of the line or of the text.
  private mutating func field() throws(CommaSeparatedText.Failure) -> String {
    skipBlanks()
    guard next == Self.quote else {
      let start = place
      while let byte = next, byte != Self.comma, !Self.isLineEnd(byte) { place += 1 }
      var end = place
      while end > start, Self.isBlank(bytes[end - 1]) { end -= 1 }
      return try text(bytes[start..<end])
    }
    let first = line
    var content: [UInt8] = []
    place += 1
    while true {
      guard let byte = next else {
        throw CommaSeparatedText.Failure(line: first, reason: "a quote is opened and never closed")
      }
      if byte == Self.quote {
        place += 1
        guard next == Self.quote else { break }
        content.append(byte)
        place += 1
      } else if Self.isLineEnd(byte) {
        content.append(0x0a)
        endLine()
      } else {
        content.append(byte)
        place += 1
      }
    }
    skipBlanks()
    if let byte = next, byte != Self.comma, !Self.isLineEnd(byte) {
      throw CommaSeparatedText.Failure(
        line: line, reason: "text follows a closed quote; write \"\" for a quote within quotes")
    }
    return try text(content[...])
  }

  private func text(_ bytes: ArraySlice<UInt8>) throws(CommaSeparatedText.Failure) -> String {
    guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
      throw CommaSeparatedText.Failure(line: line, reason: "it is not text in UTF-8")
    }
    return text
  }
}
