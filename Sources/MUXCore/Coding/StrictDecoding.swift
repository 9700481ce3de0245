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
    let known = keys.allCases.map(\.stringValue)
    for key in try container(keyedBy: AnyKey.self).allKeys
    where !known.contains(key.stringValue) {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: codingPath,
          debugDescription: "unknown key '\(key.stringValue)'; known are "
            + known.joined(separator: ", ")))
    }
    return try container(keyedBy: keys)
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
}
