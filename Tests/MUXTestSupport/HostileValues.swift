// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Files in which one number after the other is replaced by what no sound program would write.
public enum HostileValues {
  /// Whole numbers at the edges of what machines count with, and a little beside.
  public static let wholeNumbers: [Int] = [
    .min, .min + 1, -(1 << 32), -1, 0, 1, 255, 1 << 20, 1 << 24, (1 << 31) - 1, 1 << 31, 1 << 32,
    1 << 53, .max - 1, .max,
  ]
  /// Numbers with fractions likewise.
  public static let fractions: [Double] = [
    -.greatestFiniteMagnitude, -1, -0.0, .leastNonzeroMagnitude, 0.5, 1, 1e9, 9.3e18,
    .greatestFiniteMagnitude,
  ]

  /// One changed file.
  public struct Case: Sendable, CustomStringConvertible {
    /// Where the number stands, such as `nodes.3.operation.stride`.
    public var field: String
    /// What stands there instead.
    public var value: String
    /// The whole file.
    public var json: String

    /// For example `stem.stride = -1`.
    public var description: String { "\(field) = \(value)" }
  }

  /// The variants of a JSON file in which one number is replaced, or a ``Portion`` of them: each number
  /// still meets several values.
  public static func variants(ofJSON text: String) throws -> [Case] {
    let root = try JSONSerialization.jsonObject(with: Data(text.utf8))
    var cases: [Case] = []
    let values: [NSNumber] =
      wholeNumbers.map { NSNumber(value: $0) } + fractions.map { NSNumber(value: $0) }
    for (number, path) in paths(root, []).enumerated() {
      // Other values for the next number.
      for (index, value) in values.enumerated() where Portion.isTried(index, turn: number) {
        let changed = replacing(root, path[...], by: value)
        let data = try JSONSerialization.data(withJSONObject: changed, options: [.sortedKeys])
        cases.append(
          Case(
            field: path.joined(separator: "."), value: "\(value)",
            json: String(decoding: data, as: UTF8.self)))
      }
    }
    return cases
  }

  /// Calls `body` with each variant that a type reads, and with what it read.
  public static func each<Value: Decodable>(
    _ type: Value.Type, ofJSON text: String, _ body: (Case, Value) throws -> Void
  ) throws {
    for variant in try variants(ofJSON: text) {
      guard let value = try? JSONDecoder().decode(type, from: Data(variant.json.utf8)) else {
        continue
      }
      try body(variant, value)
    }
  }

  /// The places of all numbers (true and false are none).
  private static func paths(_ value: Any, _ path: [String]) -> [[String]] {
    switch value {
    case let object as [String: Any]:
      object.keys.sorted().flatMap { paths(object[$0] ?? "", path + [$0]) }
    case let list as [Any]:
      list.indices.flatMap { paths(list[$0], path + ["\($0)"]) }
    case is Bool where "\(value)" == "true" || "\(value)" == "false": []
    case is NSNumber: [path]
    default: []
    }
  }

  private static func replacing(_ value: Any, _ path: ArraySlice<String>, by new: Any) -> Any {
    guard let key = path.first else { return new }
    if var object = value as? [String: Any] {
      object[key] = replacing(object[key] ?? "", path.dropFirst(), by: new)
      return object
    }
    guard var list = value as? [Any], let index = Int(key), list.indices.contains(index) else {
      return value
    }
    list[index] = replacing(list[index], path.dropFirst(), by: new)
    return list
  }
}
