// SPDX-License-Identifier: Apache-2.0

/// The element-wise non-linearities of the networks in this package.
public enum Activation: String, Sendable, Hashable, Codable, CaseIterable {
  /// x
  case identity
  /// max(x, 0)
  case relu
  /// min(max(x, 0), 6)
  case relu6
  /// x · sigmoid(x), also called SiLU
  case swish
  /// x · min(max(x + 3, 0), 6) / 6
  case hardSwish
  /// 1 / (1 + e⁻ˣ)
  case sigmoid
  /// min(max(x + 3, 0), 6) / 6
  case hardSigmoid

  /// The token of a block string (`nre` and so on, timm's letters), nil where none exists.
  var token: String? {
    switch self {
    case .relu: "re"
    case .relu6: "r6"
    case .swish: "sw"
    case .hardSwish: "hs"
    case .identity, .sigmoid, .hardSigmoid: nil
    }
  }

  init?(token: some StringProtocol) {
    guard let found = Self.allCases.first(where: { $0.token.map { $0 == token } ?? false })
    else { return nil }
    self = found
  }
}
