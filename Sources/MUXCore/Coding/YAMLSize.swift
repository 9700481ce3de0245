// SPDX-License-Identifier: Apache-2.0

/// A bound on what a YAML parser makes of a text. It makes all values before anyone can look at one, in
/// some half kilobyte and four microseconds each: a short text of brackets would take gigabytes.
package enum YAMLSize {
  /// Whether a text has at most so many of the marks without which there is no further value: commas,
  /// colons, dashes, brackets.
  package static func holds(_ text: String, marks limit: Int) -> Bool {
    var marks = 0
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: "?"),
        UInt8(ascii: "["), UInt8(ascii: "{"):
        marks += 1
      default: break
      }
    }
    return marks <= limit
  }
}
