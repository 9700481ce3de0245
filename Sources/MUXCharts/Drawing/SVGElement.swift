// SPDX-License-Identifier: Apache-2.0

/// One element of an SVG picture. Text and attributes are escaped when they are written.
public struct SVGElement: Sendable, Hashable {
  /// The tag, such as `rect`.
  public var name: String
  /// The attributes in the order in which they are written.
  public var attributes: [Attribute]
  /// The elements inside.
  public var children: [SVGElement]
  /// The text inside, before the children.
  public var text: String

  /// A name with its value.
  public struct Attribute: Sendable, Hashable {
    /// The name as it stands in the file, such as `stroke-width`.
    public var name: String
    /// The value, not escaped.
    public var value: String
  }

  /// An element.
  public init(
    _ name: String, _ attributes: KeyValuePairs<String, String> = [:], text: String = "",
    children: [SVGElement] = []
  ) {
    self.name = name
    self.attributes = attributes.map { Attribute(name: $0.key, value: $0.value) }
    self.text = text
    self.children = children
  }

  /// The value of an attribute.
  public subscript(name: String) -> String? {
    get { attributes.first { $0.name == name }?.value }
    set {
      attributes.removeAll { $0.name == name }
      if let newValue { attributes.append(Attribute(name: name, value: newValue)) }
    }
  }

  /// The element as XML.
  public var xml: String {
    var result = ""
    write(to: &result)
    return result
  }

  private func write(to result: inout String) {
    result += "<\(name)"
    for attribute in attributes {
      result += " \(attribute.name)=\"\(Self.escaped(attribute.value))\""
    }
    if text.isEmpty && children.isEmpty {
      result += "/>"
      return
    }
    result += ">"
    result += Self.escaped(text)
    // One element a line inside of groups keeps files readable and their differences small.
    let separator = name == "svg" || name == "g" ? "\n" : ""
    for child in children {
      result += separator
      child.write(to: &result)
    }
    result += "\(separator)</\(name)>"
  }

  /// All elements of a tag in this one, itself included, in the order of the document.
  public func descendants(named tag: String) -> [SVGElement] {
    (name == tag ? [self] : []) + children.flatMap { $0.descendants(named: tag) }
  }

  /// Text as it may stand in XML: the five special characters escaped, characters that XML 1.0
  /// forbids replaced.
  public static func escaped(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\t", "\n", "\r": result.unicodeScalars.append(scalar)
      default:
        let isForbidden =
          scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF
        result.unicodeScalars.append(isForbidden ? "\u{FFFD}" : scalar)
      }
    }
    return result
  }
}

extension Double {
  /// A coordinate: at most two decimals, no trailing zeros, never `-0`.
  package var coordinate: String {
    guard isFinite else { return "0" }
    let hundredths = Int((self * 100).rounded())
    let whole = abs(hundredths) / 100
    let rest = abs(hundredths) % 100
    let sign = hundredths < 0 ? "-" : ""
    if rest == 0 { return "\(sign)\(whole)" }
    if rest % 10 == 0 { return "\(sign)\(whole).\(rest / 10)" }
    return "\(sign)\(whole).\(rest < 10 ? "0" : "")\(rest)"
  }
}
