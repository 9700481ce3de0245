// SPDX-License-Identifier: Apache-2.0

extension String {
  /// The text as it can be shown in a line of a terminal: line breaks, control characters and those
  /// that turn the direction of writing stand as `\n` or `\u{1b}`.
  ///
  /// Names of files and classes come with the data and may hold anything.
  package var printable: String {
    guard unicodeScalars.contains(where: Self.needsEscape) else { return self }
    var text = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case _ where Self.needsEscape(scalar):
        text += "\\u{\(String(scalar.value, radix: 16))}"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }

  private static func needsEscape(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7f..<0xa0: true
    // Line and paragraph separators, marks and overrides of the direction of writing.
    case 0x2028, 0x2029, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069, 0xfeff: true
    default: false
    }
  }
}
