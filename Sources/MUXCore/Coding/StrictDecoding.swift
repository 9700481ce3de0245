// SPDX-License-Identifier: Apache-2.0

/// A coding key of any name.
package struct AnyKey: CodingKey {
  package var stringValue: String
  package var intValue: Int? { nil }
  package init(_ name: String) { stringValue = name }
  package init(_ key: some CodingKey) { stringValue = key.stringValue }
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
    try container(keyedBy: AnyKey.self).rejectUnknownKeys(known)
  }

  /// Throws if the value has a key that is not among `names`, naming the nearest one.
  package func rejectKeys(notAmong names: [String]) throws {
    try container(keyedBy: AnyKey.self).rejectKeys(notAmong: names)
  }

  /// An error about a value that decodes but makes no sense.
  package func invalid(_ reason: String) -> DecodingError {
    .dataCorrupted(.init(codingPath: codingPath, debugDescription: reason))
  }
}

/// Networks have hundreds of such values, all read at the start of a program: whoever holds a container of
/// any keys checks that one, and names are only listed for an error.
extension KeyedDecodingContainer<AnyKey> {
  /// Throws if there is a key that `Known` lacks, naming the nearest one.
  package func rejectUnknownKeys<Known: CodingKey & CaseIterable>(_ known: Known.Type) throws {
    for key in allKeys where known.init(stringValue: key.stringValue) == nil {
      throw unknown(key, among: known.allCases.map(\.stringValue))
    }
  }

  /// Throws if there is a key that is not among `names`, naming the nearest one.
  package func rejectKeys(notAmong names: [String]) throws {
    for key in allKeys where !names.contains(key.stringValue) { throw unknown(key, among: names) }
  }

  private func unknown(_ key: AnyKey, among names: [String]) -> DecodingError {
    .dataCorrupted(
      .init(
        codingPath: codingPath,
        debugDescription: "unknown key '\(key.stringValue)'"
          + NameDistance.hint(for: key.stringValue, among: names)))
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
