// SPDX-License-Identifier: Apache-2.0

extension KeyedDecodingContainer {
  /// Replaces `value` by what the file says under `key`, and leaves it alone where the key is
  /// absent: every setting of a configuration is optional in the file.
  package func update<Value: Decodable>(_ value: inout Value, _ key: Key) throws {
    if let found = try decodeIfPresent(Value.self, forKey: key) { value = found }
  }

  /// The same for a setting that may also be absent in memory.
  package func update<Value: Decodable>(_ value: inout Value?, _ key: Key) throws {
    if let found = try decodeIfPresent(Value.self, forKey: key) { value = found }
  }
}
