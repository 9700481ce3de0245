// SPDX-License-Identifier: Apache-2.0

/// Text from files, storages and other programs, made fit for a terminal.
package enum PlainText {
  /// The text with control characters shown instead of obeyed: line breaks and tabs stay, all others
  /// (escape sequences begin with one), and characters that turn the direction of writing, are
  /// written as `\u{1b}`.
  ///
  /// Names and messages can hold anything; a terminal would let them move the cursor, rename the
  /// window, or hide what follows.
  package static func visible(_ text: String) -> String {
    escaped(text) { "\\u{\(String($0.value, radix: 16))}" }
  }

  /// The same for a text in JSON, with JSON's own escapes, so that it means what it meant.
  package static func json(_ text: String) -> String {
    escaped(text) { scalar in
      String(scalar).utf16.map { unit in
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }.joined()
    }
  }

  /// The text on one line: as ``visible(_:)``, with `\n`, `\r` and `\t` for what breaks lines.
  static func line(_ text: String) -> String {
    escaped(text, where: { isHidden($0) || $0 == "\n" || $0 == "\t" }) { scalar in
      switch scalar {
      case "\n": "\\n"
      case "\r": "\\r"
      case "\t": "\\t"
      default: "\\u{\(String(scalar.value, radix: 16))}"
      }
    }
  }

  private static func escaped(
    _ text: String, where needsEscape: (Unicode.Scalar) -> Bool = isHidden,
    _ escape: (Unicode.Scalar) -> String
  ) -> String {
    guard text.unicodeScalars.contains(where: needsEscape) else { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if needsEscape(scalar) {
        result.append(contentsOf: escape(scalar).unicodeScalars)
      } else {
        result.append(scalar)
      }
    }
    return String(result)
  }

  private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x0a: false
    // Controls of ASCII, delete, controls of Latin-1.
    case 0..<0x20, 0x7f..<0xa0: true
    // Marks, embeddings, overrides and isolates of direction; line and paragraph separators.
    case 0x200e, 0x200f, 0x061c, 0x2028...0x202e, 0x2066...0x2069: true
    // Invisible tags, and the byte order mark.
    case 0xe0000...0xe007f, 0xfeff: true
    default: false
    }
  }
}

extension String {
  /// The text as it can stand in a message, which is one line: names of files and classes come with
  /// the data and may hold anything.
  package var printable: String { PlainText.line(self) }
}
