// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// An element-wise non-linearity with its parameters.
public struct Activation: Sendable, Hashable {
  /// The function.
  public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
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
    /// min(max(α·x + β, 0), 1) with α = 1/6 and β = 1/2
    case hardSigmoid

    /// α and β of the function; zeros for functions without parameters.
    var parameters: (alpha: Double, beta: Double) {
      switch self {
      case .identity, .relu, .relu6, .swish, .hardSwish, .sigmoid: (0, 0)
      case .hardSigmoid: (1.0 / 6, 0.5)
      }
    }
  }

  /// The function.
  public let kind: Kind
  /// α of the function, such as the slope of a hard sigmoid; 0 for functions without parameters.
  public let alpha: Double
  /// β of the function, such as a hard sigmoid's value at 0; 0 for functions without parameters.
  public let beta: Double

  /// A function.
  public init(_ kind: Kind) {
    self.kind = kind
    (alpha, beta) = kind.parameters
  }

  /// x
  public static let identity = Activation(.identity)
  /// max(x, 0)
  public static let relu = Activation(.relu)
  /// min(max(x, 0), 6)
  public static let relu6 = Activation(.relu6)
  /// x · sigmoid(x), also called SiLU
  public static let swish = Activation(.swish)
  /// x · min(max(x + 3, 0), 6) / 6
  public static let hardSwish = Activation(.hardSwish)
  /// 1 / (1 + e⁻ˣ)
  public static let sigmoid = Activation(.sigmoid)
  /// min(max(x / 6 + 1/2, 0), 1)
  public static let hardSigmoid = Activation(.hardSigmoid)

  /// The token of a block string (`nre` and so on, timm's letters), nil where none exists.
  var token: String? {
    switch kind {
    case .relu: "re"
    case .relu6: "r6"
    case .swish: "sw"
    case .hardSwish: "hs"
    case .identity, .sigmoid, .hardSigmoid: nil
    }
  }

  init?(token: some StringProtocol) {
    guard
      let found = Self.allCases.first(where: { $0.token.map { $0 == token } ?? false })
    else { return nil }
    self = found
  }
}

extension Activation: CaseIterable {
  /// Each function.
  public static let allCases = Kind.allCases.map { Activation($0) }
}

/// A function is written as its name.
extension Activation: Codable {
  enum Key: String, CodingKey, CaseIterable {
    case function
  }

  /// Reads a function.
  public init(from decoder: any Decoder) throws {
    self.init(try Self.kind(decoder.singleValueContainer().decode(String.self), decoder))
  }

  /// Reads a function whose name stands beside other keys.
  init(flat decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    self.init(try Self.kind(values.decode(String.self, forKey: .function), decoder))
  }

  /// Writes the function.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(kind)
  }

  /// Writes the function beside other keys.
  func encode(flat encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(kind, forKey: .function)
  }

  private static func kind(_ name: String, _ decoder: any Decoder) throws -> Kind {
    if let kind = Kind(rawValue: name) { return kind }
    throw decoder.invalid(
      "unknown activation '\(name)'"
        + NameDistance.hint(for: name, among: Kind.allCases.map(\.rawValue)))
  }
}
