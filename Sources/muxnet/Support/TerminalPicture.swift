// SPDX-License-Identifier: Apache-2.0
import MUXImages

/// A small picture made of characters.
enum TerminalPicture {
  /// The image at most `columns` wide: two pixels per character in colour, else shades of ink.
  static func text(_ image: Image, columns: Int = 32, usesColor: Bool) -> String {
    let width = min(columns, max(image.width, 8))
    let height = max(2, image.height * width / max(image.width, 1) / 2 * 2)
    let small = image.rgb.resized(width: width, height: height)
    func pixel(_ x: Int, _ y: Int) -> [Int] {
      (0..<3).map { Int(small.pixels[(y * width + x) * 3 + $0]) }
    }
    return stride(from: 0, to: height, by: 2).map { y in
      let row = (0..<width).map { x -> String in
        let (upper, lower) = (pixel(x, y), pixel(x, y + 1))
        guard usesColor else {
          let light = (upper + lower).reduce(0, +) / 6
          return String(Array(" .:-=+*#%@")[light * 9 / 255])
        }
        func code(_ color: [Int]) -> String { color.map(String.init).joined(separator: ";") }
        return "\u{1b}[38;2;\(code(upper))m\u{1b}[48;2;\(code(lower))m▀"
      }
      return row.joined() + (usesColor ? "\u{1b}[0m" : "")
    }.joined(separator: "\n")
  }
}
