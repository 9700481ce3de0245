// SPDX-License-Identifier: Apache-2.0

/// A coding key of any name.
package struct AnyKey: CodingKey {
  package var stringValue: String
  package var intValue: Int? { nil }
  package init(_ name: String) { stringValue = name }
  package init?(stringValue: String) { self.stringValue = stringValue }
  package init?(intValue: Int) { return nil }
}

extension Decoder {
  /// The keyed container, after a check that it has no key outside `keys`: a misspelt setting must
  /// not pass as a default.
  package func strictContainer<Key: CodingKey & CaseIterable>(
    keyedBy keys: Key.Type
  ) throws -> KeyedDecodingContainer<Key> {
    try rejectUnknownKeys(keys)
    return try container(keyedBy: keys)
  }

  /// Throws if the value has a key that `Known` lacks, naming the nearest one.
  package func rejectUnknownKeys<Known: CodingKey & CaseIterable>(_ known: Known.Type) throws {
    try rejectKeys(isKnown: { known.init(stringValue: $0) != nil }) {
      known.allCases.map(\.stringValue)
    }
  }

  /// Throws if the value has a key that is not among `names`, naming the nearest one.
  package func rejectKeys(notAmong names: [String]) throws {
    try rejectKeys(isKnown: names.contains) { names }
  }

  /// Networks have hundreds of such values, all read at the start of a program: the names are only listed
  /// for an error.
  private func rejectKeys(isKnown: (String) -> Bool, names: () -> [String]) throws {
    for key in try container(keyedBy: AnyKey.self).allKeys where !isKnown(key.stringValue) {
      throw invalid(
        "unknown key '\(key.stringValue)'" + NameDistance.hint(for: key.stringValue, among: names())
      )
    }
  }

  /// An error about a value that decodes but makes no sense.
  package func invalid(_ reason: String) -> DecodingError {
    .dataCorrupted(.init(codingPath: codingPath, debugDescription: reason))
  }
}

extension KeyedDecodingContainer {
  /// The value of a key, or a default where the key is absent.
  package func value<Value: Decodable>(_ key: Key, default fallback: Value) throws -> Value {
    try decodeIfPresent(Value.self, forKey: key) ?? fallback
  }

  /// A list that is no longer than `limit`: its length is known before anything of it is read.
  package func list<Element: Decodable>(
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
