// SPDX-License-Identifier: Apache-2.0

/// Lists of numbers as JSON, read without a decoder: a large study has hundreds of thousands of them. What is
/// not as plain as this package writes it is left to the decoder.
enum PlainNumbers {
  /// `[1,0,12]`; nil for anything else.
  static func integers(_ text: String) -> [Int]? {
    list(text) { word in
      // `Int` reads a plus, too, which is no JSON.
      word.utf8.first == UInt8(ascii: "+") ? nil : Int(word)
    }
  }

  /// `[7.5,4810,1e-05]`; nil for anything else.
  static func reals(_ text: String) -> [Double]? {
    list(text) { word in
      // `Double` reads more than JSON allows, such as hexadecimal digits and names.
      word.utf8.allSatisfy { (0x30...0x39).contains($0) || ".-+eE".utf8.contains($0) }
        ? Double(word) : nil
    }
  }

  private static func list<Number>(
    _ text: String, _ number: (Substring) -> Number?
  ) -> [Number]? {
    guard text.utf8.first == UInt8(ascii: "["), text.utf8.last == UInt8(ascii: "]"),
      text.utf8.count > 2
    else { return nil }
    var found: [Number] = []
    for word in text.dropFirst().dropLast().split(separator: ",", omittingEmptySubsequences: false)
    {
      guard let value = number(word) else { return nil }
      found.append(value)
    }
    return found
  }
}
