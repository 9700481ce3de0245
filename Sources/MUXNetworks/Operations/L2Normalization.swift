// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// Normalisation over the channels of each position: scale[c] · x[c] / max(‖x‖₂, ε) (ParseNet; SSD).
public struct L2Normalization: Sendable, Hashable, Codable {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case channels, epsilon
  }

  /// C, the channels.
  public var channels: Int
  /// The least norm that is divided by.
  public var epsilon: Double

  /// PyTorch's ε unless given. Scales start at 20, as in SSD.
  public init(channels: Int, epsilon: Double = 1e-12) {
    self.channels = channels
    self.epsilon = epsilon
  }

  /// Reads a normalisation; ε has a default.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(channels: try values.decode(Int.self, forKey: .channels))
    epsilon = try values.value(.epsilon, default: epsilon)
  }
}

extension L2Normalization: OperationRules {
  static let kind = OperationKind.l2Normalization
  static let arity = 1...1
  static let settingNames = CodingKeys.allCases.map(\.rawValue)

  var operation: Operation { .l2Normalization(self) }
  var formatVersion: Int { 1 }
  var isWithinLimits: Bool { Limits.holds([channels]) }
  var defect: String? {
    channels > 0 && epsilon > 0 && epsilon.isFinite
      ? nil : "an L2 normalisation needs channels and a positive finite ε"
  }

  func shape(of inputs: [Shape]) throws(ShapeMismatch) -> Shape {
    try ShapeMismatch.check(inputs[0], hasChannels: channels)
    return inputs[0]
  }

  var parameters: [ParameterRule] {
    [.init(suffix: "scale_weight", shape: [channels], role: .channelScale)]
  }

  func costs(input: Shape, output: Shape) -> [OperationCost] {
    [.init(.other, output: output, parameters: channels)]
  }

  var windows: [(convolution: Convolution, factor: Int)] { [] }
  var effect: InferenceEffect { .computes }
  var isFlat: Bool? { nil }
}
