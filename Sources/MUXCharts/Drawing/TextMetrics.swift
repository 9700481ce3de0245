// SPDX-License-Identifier: Apache-2.0

/// Estimates how wide text is. Nobody knows which font a viewer has, so the widths are those of a
/// wide sans-serif (DejaVu Sans, Verdana); in a narrower font, labels get more air, never less.
package enum TextMetrics {
  /// The width of `text` at a font size, both in pixels.
  package static func width(_ text: String, size: Double, isBold: Bool = false) -> Double {
    text.reduce(0) { $0 + advance($1) } * size * (isBold ? 1.1 : 1)
  }

  /// From the top of a line's letters to the bottom, in pixels.
  package static func height(size: Double) -> Double { size * 1.2 }

  /// Breaks text into lines of at most `limit` pixels at spaces. A longer word stands alone.
  package static func wrapped(_ text: String, size: Double, limit: Double) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, width("\(last) \(word)", size: size) <= limit {
        lines[lines.count - 1] = "\(last) \(word)"
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }

  /// Text cut to `limit` pixels, with an ellipsis where something is missing.
  package static func shortened(_ text: String, size: Double, limit: Double) -> String {
    guard width(text, size: size) > limit else { return text }
    var kept = text
    while !kept.isEmpty, width(kept + "…", size: size) > limit { kept.removeLast() }
    return kept + "…"
  }

  /// The advance in ems.
  private static func advance(_ character: Character) -> Double {
    switch character {
    case "i", "j", "l", "I", "'", "|": 0.30
    case " ", ".", ",", ":", ";": 0.33
    case "f", "t", "-", "/", "(", ")", "[", "]", "!": 0.40
    case "r", "°": 0.44
    case "c", "s", "z", "k", "v", "x", "y", "J": 0.58
    case "m": 0.98
    case "w", "C", "G", "M", "O", "Q", "N", "H", "D", "U", "×", "–", "=", "+", "<", ">": 0.84
    case "W", "%", "—", "…", "→", "←", "²": 1.0
    case _ where character.isNumber: 0.64
    case _ where character.isUppercase: 0.70
    case _ where character.isASCII: 0.64
    // Ideographs and emoji are square.
    case _ where (character.unicodeScalars.first?.value ?? 0) >= 0x2E80: 1.1
    default: 0.72
    }
  }
}
