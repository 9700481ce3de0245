// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// How the squeeze-and-excitation of the blocks is made.
public struct ExcitationSettings: Sendable, Hashable, Encodable {
  /// What the ratio of the reduced channels refers to.
  public enum Base: String, Sendable, Hashable, Codable {
    /// The (processed) input of the block: MnasNet, EfficientNet, MixNet, the paper's code.
    case input
    /// The expanded channels: MobileNetV3.
    case expanded
  }

  /// What the ratio refers to.
  public var ratioOf: Base = .input
  /// The reduced channels are rounded to multiples of it; 1 cuts off the fraction.
  public var divisor: Int = 1
  /// The non-linearity between the two layers, nil for the block's.
  public var activation: Activation?
  /// The non-linearity of the gate.
  public var gate: Activation = .sigmoid

  /// Squeeze-and-excitation as in the paper's code unless said.
  public init(
    ratioOf: Base = .input, divisor: Int = 1, activation: Activation? = nil,
    gate: Activation = .sigmoid
  ) {
    self.ratioOf = ratioOf
    self.divisor = divisor
    self.activation = activation
    self.gate = gate
  }
}

extension ExcitationSettings: Decodable {
  enum Key: String, CodingKey, CaseIterable {
    case ratioOf, divisor, activation, gate
  }

  /// Reads how squeeze-and-excitation is made; what is left out is as in the paper's code.
  public init(from decoder: any Decoder) throws {
    try decoder.rejectUnknownKeys(Key.self)
    let values = try decoder.container(keyedBy: Key.self)
    ratioOf = try values.decodeIfPresent(Base.self, forKey: .ratioOf) ?? .input
    divisor = try values.decodeIfPresent(Int.self, forKey: .divisor) ?? 1
    activation = try values.decodeIfPresent(Activation.self, forKey: .activation)
    gate = try values.decodeIfPresent(Activation.self, forKey: .gate) ?? .sigmoid
  }
}
