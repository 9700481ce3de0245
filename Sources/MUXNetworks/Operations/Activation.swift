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
    /// min(max(α·x + β, 0), 1); α = 1/6 and β = 1/2 unless given
    case hardSigmoid

    /// α and β of the function where nothing else is said; zeros for functions without parameters.
    var defaults: (alpha: Double, beta: Double) {
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

  /// A function with its usual parameters.
  public init(_ kind: Kind) {
    self.kind = kind
    (alpha, beta) = kind.defaults
  }

  private init(_ kind: Kind, alpha: Double, beta: Double) {
    self.kind = kind
    self.alpha = alpha
    self.beta = beta
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

  /// min(max(slope · x + value, 0), 1), where `value` is the function's value at 0.
  public static func hardSigmoid(slope: Double, valueAtZero value: Double) -> Activation {
    Activation(.hardSigmoid, alpha: slope, beta: value)
  }

  /// Whether the parameters are those that the function has where nothing else is said.
  var hasDefaults: Bool { (alpha, beta) == kind.defaults }

  /// Says why the parameters are impossible, nil if they are sound.
  var defect: String? {
    switch kind {
    case .identity, .relu, .relu6, .swish, .hardSwish, .sigmoid:
      hasDefaults ? nil : "'\(kind.rawValue)' has no parameters"
    case .hardSigmoid:
      (1e-6...1e6).contains(alpha) && (-1e6...1e6).contains(beta)
        ? nil : "a hard sigmoid needs a slope α in 1e-6…1e6 and a β in ±1e6"
    }
  }

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
  /// Each function with its usual parameters.
  public static let allCases = Kind.allCases.map { Activation($0) }
}

/// A function with its usual parameters is written as its name, one with others as a group of
/// `function`, `alpha`, `beta`.
extension Activation: Codable {
  enum Key: String, CodingKey, CaseIterable {
    case function, alpha, beta
  }

  /// Reads a function.
  public init(from decoder: any Decoder) throws {
    if let single = try? decoder.singleValueContainer(), let name = try? single.decode(String.self)
    {
      self.init(try Self.kind(name, decoder))
      return
    }
    try decoder.rejectUnknownKeys(Key.self)
    try self.init(flat: decoder)
  }

  /// Reads a function whose keys stand beside others.
  init(flat decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    let kind = try Self.kind(values.decode(String.self, forKey: .function), decoder)
    let usual = kind.defaults
    self.init(
      kind, alpha: try values.value(.alpha, default: usual.alpha),
      beta: try values.value(.beta, default: usual.beta))
    if let defect { throw decoder.invalid(defect) }
  }

  /// Writes the function.
  public func encode(to encoder: any Encoder) throws {
    if hasDefaults {
      var container = encoder.singleValueContainer()
      try container.encode(kind)
    } else {
      try encode(flat: encoder)
    }
  }

  /// Writes the function's keys beside others.
  func encode(flat encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(kind, forKey: .function)
    guard !hasDefaults else { return }
    try values.encode(alpha, forKey: .alpha)
    try values.encode(beta, forKey: .beta)
  }

  private static func kind(_ name: String, _ decoder: any Decoder) throws -> Kind {
    if let kind = Kind(rawValue: name) { return kind }
    throw decoder.invalid(
      "unknown activation '\(name)'"
        + NameDistance.hint(for: name, among: Kind.allCases.map(\.rawValue)))
  }
}
