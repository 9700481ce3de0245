// SPDX-License-Identifier: Apache-2.0

/// A pattern for dotted names such as `blocks.0.1.conv_pw.weight`: `*` stands for any characters, dots
/// included, and a pattern for a whole part of a name, `blocks.0`, for everything below it.
package struct NamePattern: Hashable, Sendable {
  /// The pattern as it was written.
  package let text: String
  private let letters: [UInt8]

  package init(_ text: String) {
    self.text = text
    letters = Array(text.utf8)
  }

  /// Whether the name, or a part of it that ends before a dot, is what the pattern says.
  package func matches(_ name: String) -> Bool {
    let name = Array(name.utf8)
    // Which prefixes of the name the pattern so far can stand for.
    var reached = [Bool](repeating: false, count: name.count + 1)
    reached[0] = true
    for letter in letters {
      if letter == UInt8(ascii: "*") {
        for index in name.indices where reached[index] { reached[index + 1] = true }
      } else {
        for index in name.indices.reversed() {
          reached[index + 1] = reached[index] && name[index] == letter
        }
        reached[0] = false
      }
    }
    return reached.indices.contains {
      reached[$0] && ($0 == name.count || name[$0] == UInt8(ascii: "."))
    }
  }

  /// The end of a sentence about a pattern that matches none of some names: those nearest to it.
  package func hint(among names: [String]) -> String {
    let plain = text.replacing("*", with: "")
    guard text.utf8.count <= 200 else { return "" }
    var parts: [String] = []
    var seen: Set<String> = []
    for name in names {
      let pieces = name.split(separator: ".")
      for count in 1...max(pieces.count, 1) {
        let part = pieces.prefix(count).joined(separator: ".")
        if seen.insert(part).inserted { parts.append(part) }
      }
    }
    let nearest = NameDistance.nearest(
      to: plain.hasSuffix(".") ? String(plain.dropLast()) : plain, among: parts, limit: 3)
    let shown = nearest.isEmpty ? Array(parts.filter { !$0.contains(".") }.prefix(8)) : nearest
    return nearest.isEmpty
      ? "; names begin with \(shown.joined(separator: ", "))"
      : "; near to it are \(shown.joined(separator: ", "))"
  }
}
