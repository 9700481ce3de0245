// SPDX-License-Identifier: Apache-2.0

/// The keys that types asked for while they were decoded, by the path of their group: the schema,
/// found by watching. Keys of a file that nobody asked for are misspelt.
final class AskedKeys {
  var keys: [String: Set<String>] = [:]

  func ask(_ key: String, at path: String) { keys[path, default: []].insert(key) }
}

/// Decodes a configuration node, with errors that name the setting and where it came from.
struct TreeDecoder: Decoder {
  let node: ConfigurationNode
  let codingPath: [any CodingKey]
  let record: AskedKeys
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  init(_ node: ConfigurationNode, path: [any CodingKey], record: AskedKeys) {
    self.node = node
    codingPath = path
    self.record = record
  }

  var dotted: String { Self.dotted(codingPath) }

  static func dotted(_ path: [any CodingKey]) -> String {
    path.reduce("") { text, key in
      if let index = key.intValue { return "\(text)[\(index)]" }
      return text.isEmpty ? key.stringValue : "\(text).\(key.stringValue)"
    }
  }

  func mismatch(_ expected: String) -> ConfigurationInputError {
    ConfigurationInputError(node.source, dotted, .value(expected: expected, found: node.summary))
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case .mapping(let members, _) = node else { throw mismatch("a group of settings") }
    // An empty record still says that this group is decoded key by key.
    record.keys[dotted, default: []].formUnion([])
    return KeyedDecodingContainer(KeyedContainer(members: members, decoder: self))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard case .list(let items, _) = node else { throw mismatch("a list") }
    return ListContainer(items: items, decoder: self)
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer {
    ScalarContainer(decoder: self)
  }

  /// Decodes a whole value and names the choices if it is not one of an enumeration's.
  func unwrap<Value: Decodable>(_ type: Value.Type) throws -> Value {
    do {
      return try Value(from: self)
    } catch let error as DecodingError {
      if let choices = type as? any CaseIterable.Type {
        throw mismatch("one of \(Self.names(of: choices))")
      }
      switch error {
      case .dataCorrupted(let context), .typeMismatch(_, let context),
        .valueNotFound(_, let context), .keyNotFound(_, let context):
        throw ConfigurationInputError(
          node.source, dotted,
          .value(expected: context.debugDescription, found: node.summary))
      @unknown default: throw mismatch("a \(Value.self)")
      }
    }
  }

  private static func names(of type: any CaseIterable.Type) -> String {
    func names<Choices: CaseIterable>(_ type: Choices.Type) -> [String] {
      type.allCases.map { choice in
        (choice as? any RawRepresentable).map { "\($0.rawValue)" } ?? "\(choice)"
      }
    }
    return names(type).joined(separator: ", ")
  }
}

private struct KeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let members: [String: ConfigurationNode]
  let decoder: TreeDecoder
  var codingPath: [any CodingKey] { decoder.codingPath }
  var allKeys: [Key] { members.keys.sorted().compactMap { Key(stringValue: $0) } }

  func contains(_ key: Key) -> Bool {
    decoder.record.ask(key.stringValue, at: decoder.dotted)
    return members[key.stringValue] != nil
  }

  private func child(_ key: Key) throws -> TreeDecoder {
    guard contains(key), let node = members[key.stringValue] else {
      throw ConfigurationInputError(
        decoder.node.source, TreeDecoder.dotted(codingPath + [key]), .missing)
    }
    return TreeDecoder(node, path: codingPath + [key], record: decoder.record)
  }

  func decodeNil(forKey key: Key) throws -> Bool { try child(key).node.isNull }

  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
    try child(key).unwrap(type)
  }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy type: NestedKey.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<NestedKey> {
    try child(key).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try child(key).unkeyedContainer()
  }

  func superDecoder() throws -> any Decoder { decoder }

  func superDecoder(forKey key: Key) throws -> any Decoder { try child(key) }
}

private struct ListContainer: UnkeyedDecodingContainer {
  let items: [ConfigurationNode]
  let decoder: TreeDecoder
  var currentIndex = 0
  var codingPath: [any CodingKey] { decoder.codingPath }
  var count: Int? { items.count }
  var isAtEnd: Bool { currentIndex >= items.count }

  private struct Index: CodingKey {
    let intValue: Int?
    var stringValue: String { intValue.map(String.init) ?? "" }
    init(_ index: Int) { intValue = index }
    init?(intValue: Int) { self.intValue = intValue }
    init?(stringValue: String) { nil }
  }

  private func child() throws -> TreeDecoder {
    guard !isAtEnd else {
      throw ConfigurationInputError(
        decoder.node.source, decoder.dotted,
        .value(expected: "more than \(items.count) values", found: decoder.node.summary))
    }
    return TreeDecoder(
      items[currentIndex], path: codingPath + [Index(currentIndex)], record: decoder.record)
  }

  mutating func decodeNil() throws -> Bool {
    let isNull = try child().node.isNull
    if isNull { currentIndex += 1 }
    return isNull
  }

  mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    let value = try child().unwrap(type)
    currentIndex += 1
    return value
  }

  mutating func nestedContainer<NestedKey: CodingKey>(
    keyedBy type: NestedKey.Type
  ) throws -> KeyedDecodingContainer<NestedKey> {
    let container = try child().container(keyedBy: type)
    currentIndex += 1
    return container
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    let container = try child().unkeyedContainer()
    currentIndex += 1
    return container
  }

  mutating func superDecoder() throws -> any Decoder {
    let child = try child()
    currentIndex += 1
    return child
  }
}

private struct ScalarContainer: SingleValueDecodingContainer {
  let decoder: TreeDecoder
  var codingPath: [any CodingKey] { decoder.codingPath }

  func decodeNil() -> Bool { decoder.node.isNull }

  private func plain(_ expected: String) throws -> String {
    guard case .scalar(let text, let style, _) = decoder.node, style != .quoted,
      !decoder.node.isNull
    else {
      throw decoder.mismatch(expected)
    }
    return text
  }

  private func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
    let text = try plain("a whole number")
    guard let value = Value(text) else {
      if Int(text) != nil || Double(text).map({ $0 == $0.rounded() }) == true {
        throw decoder.mismatch("a whole number from \(Value.min) to \(Value.max)")
      }
      throw decoder.mismatch("a whole number")
    }
    return value
  }

  private func number() throws -> Double {
    guard let value = Double(try plain("a number")), !value.isNaN else {
      throw decoder.mismatch("a number")
    }
    return value
  }

  func decode(_ type: Bool.Type) throws -> Bool {
    switch try plain("true or false") {
    case "true": true
    case "false": false
    default: throw decoder.mismatch("true or false")
    }
  }

  func decode(_ type: String.Type) throws -> String {
    guard case .scalar(let text, _, _) = decoder.node, !decoder.node.isNull else {
      throw decoder.mismatch("a text")
    }
    return text
  }

  func decode(_ type: Double.Type) throws -> Double { try number() }
  func decode(_ type: Float.Type) throws -> Float { Float(try number()) }
  func decode(_ type: Int.Type) throws -> Int { try integer(type) }
  func decode(_ type: Int8.Type) throws -> Int8 { try integer(type) }
  func decode(_ type: Int16.Type) throws -> Int16 { try integer(type) }
  func decode(_ type: Int32.Type) throws -> Int32 { try integer(type) }
  func decode(_ type: Int64.Type) throws -> Int64 { try integer(type) }
  func decode(_ type: UInt.Type) throws -> UInt { try integer(type) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try integer(type) }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try integer(type) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try integer(type) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try integer(type) }

  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try decoder.unwrap(type)
  }
}
