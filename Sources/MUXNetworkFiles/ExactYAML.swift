// SPDX-License-Identifier: Apache-2.0
import Foundation
import Yams

/// YAML with numbers as a person writes them, that read back to exactly the same values.
///
/// Yams' encoder writes 1 as `1e+0`, and rounds to 15 digits, so that 1/3 would come back as another number.
package enum ExactYAML {
  /// The value as YAML, its keys in the order in which they are encoded.
  package static func text(_ value: some Encodable) throws -> String {
    guard let node = try Yams.compose(yaml: YAMLEncoder().encode(value)) else { return "" }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    // JSON is YAML, and its numbers are the shortest that are exact.
    let json = String(decoding: try encoder.encode(value), as: UTF8.self)
    guard let numbers = try Yams.compose(yaml: json) else { return "" }
    return try Yams.serialize(node: exact(node, numbers))
  }

  /// A node with the numbers of another one of the same shape.
  private static func exact(_ node: Yams.Node, _ other: Yams.Node) -> Yams.Node {
    switch (node, other) {
    case (.mapping(var mapping), .mapping(let others)):
      for (key, value) in mapping {
        guard let name = key.string, let other = others[name] else { continue }
        mapping[key] = exact(value, other)
      }
      return .mapping(mapping)
    case (.sequence(var sequence), .sequence(let others)):
      for index in sequence.indices where index < others.count {
        sequence[index] = exact(sequence[index], others[index])
      }
      return .sequence(sequence)
    case (.scalar(var scalar), .scalar(let other)):
      // Texts are quoted in JSON.
      if scalar.style == .plain, other.style == .plain, Double(other.string) != nil {
        scalar.string = other.string
      }
      return .scalar(scalar)
    default: return node
    }
  }
}
