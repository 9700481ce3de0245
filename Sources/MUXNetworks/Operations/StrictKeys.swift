// SPDX-License-Identifier: Apache-2.0

/// Any key of a file, to find those that nobody reads.
struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

extension Decoder {
  /// Throws if the value has a key that `Known` lacks, naming the nearest one.
  package func rejectUnknownKeys<Known: CodingKey & CaseIterable>(_ known: Known.Type) throws {
    try rejectKeys(notAmong: known.allCases.map(\.stringValue))
  }

  /// Throws if the value has a key that is not among `names`, naming the nearest one.
  package func rejectKeys(notAmong names: [String]) throws {
    let container = try container(keyedBy: AnyKey.self)
    for key in container.allKeys where !names.contains(key.stringValue) {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: codingPath,
          debugDescription: "unknown key '\(key.stringValue)'"
            + NameDistance.hint(for: key.stringValue, among: names)))
    }
  }
}

extension KeyedDecodingContainer {
  /// The value of a key, or what it is where it is left out.
  func value<Value: Decodable>(_ key: Key, default fallback: Value) throws -> Value {
    try decodeIfPresent(Value.self, forKey: key) ?? fallback
  }

  /// A list that is no longer than `limit`: its length is known before anything of it is read.
  func list<Element: Decodable>(
    of type: Element.Type, _ key: Key, atMost limit: Int
  ) throws -> [Element] {
    var list = try nestedUnkeyedContainer(forKey: key)
    var elements: [Element] = []
    while !list.isAtEnd {
      guard elements.count < limit else {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: self, debugDescription: "there are more than \(limit) entries")
      }
      elements.append(try list.decode(Element.self))
    }
    return elements
  }
}

extension NameDistance {
  /// The end of a sentence about an unknown name: the nearest that there is, or all of them.
  static func hint(for name: String, among names: [String]) -> String {
    // What a file gives for a name may be a book; it is near to nothing.
    let nearest = name.utf8.count > 100 ? [] : nearest(to: name, among: names, limit: 1)
    return nearest.first.map { "; did you mean '\($0)'?" }
      ?? "; there are \(names.joined(separator: ", "))"
  }
}
