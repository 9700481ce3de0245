// SPDX-License-Identifier: Apache-2.0
import Foundation
import Yams

/// Writes settings as YAML that reads back to exactly the same values.
///
/// Yams' own encoder rounds numbers to 15 digits, so 4/3 would come back as another number and a
/// resumed run would differ from an unbroken one.
package enum ConfigurationText {
  /// The value as YAML, keys sorted, numbers in their shortest exact form.
  package static func yaml(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let json = String(decoding: try encoder.encode(value), as: UTF8.self)
    // JSON is YAML: only the style changes, the text of each number stays.
    guard let node = try Yams.compose(yaml: json) else { return "" }
    return try Yams.serialize(node: styled(node), width: 100, allowUnicode: true)
  }

  private static func styled(_ node: Yams.Node) -> Yams.Node {
    switch node {
    case .mapping(let mapping):
      return .mapping(
        Yams.Node.Mapping(
          mapping.map { (Yams.Node($0.key.string ?? ""), styled($0.value)) }, .implicit, .block))
    case .sequence(let sequence):
      let isFlat = sequence.allSatisfy { $0.scalar != nil }
      return .sequence(
        Yams.Node.Sequence(sequence.map(styled), .implicit, isFlat ? .flow : .block))
    case .scalar(var scalar):
      // Texts keep quotes only where they would be taken for something else without.
      if scalar.style == .doubleQuoted, isPlain(scalar.string) { scalar.style = .plain }
      return .scalar(scalar)
    default: return node
    }
  }

  private static func isPlain(_ text: String) -> Bool {
    guard text.wholeMatch(of: /[A-Za-z_\/.][A-Za-z0-9_\/.\-]*/) != nil else { return false }
    let lowered = text.lowercased()
    return Double(text) == nil
      && !["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(lowered)
  }
}
