// SPDX-License-Identifier: Apache-2.0

/// A network that the paper compares with and that has no public definition: nothing can be
/// computed, only the paper's figures be quoted.
package struct QuotedFigures: Sendable, Hashable, Codable {
  /// The name, in the style of the zoo.
  package var name: String
  /// A line about the network and why its definition is missing.
  package var summary: String
  /// Parameters, rounded as in the paper (table 1).
  package var parameters: Int
  /// Multiply-adds, rounded as in the paper (table 1).
  package var multiplyAdds: Int

  /// All such networks.
  package static let all = [
    QuotedFigures(
      name: "mnasnet_a2", summary: "MnasNet-A2: no public definition, the paper's figures",
      parameters: 4_800_000, multiplyAdds: 340_000_000)
  ]

  /// Those whose names match a pattern, as in ``ModelZoo/entries(matching:)``.
  package static func all(matching pattern: String) -> [QuotedFigures] {
    all.filter { ModelZoo.matches($0.name, pattern: pattern) }
  }

  var reason: String {
    "it has no public definition; of it only the paper's figures are known"
      + " (\(Double(parameters) / 1e6) M parameters, \(multiplyAdds / 1_000_000) M multiply-adds)"
  }
}
