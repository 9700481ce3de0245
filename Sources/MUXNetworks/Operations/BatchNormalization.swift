// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// Batch normalisation (over N, H, W of each channel).
public struct BatchNormalization: Sendable, Hashable, Codable {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case channels, epsilon, momentum
  }

  /// C, the channels.
  public var channels: Int
  /// Added to the variance.
  public var epsilon: Double
  /// The weight of the newest batch in the running statistics (PyTorch's convention).
  public var momentum: Double

  /// PyTorch's defaults, which the paper's code uses: ε = 1e-5, momentum 0.1.
  public init(channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1) {
    self.channels = channels
    self.epsilon = epsilon
    self.momentum = momentum
  }

  /// Reads a batch norm; ε and momentum have defaults.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(channels: try values.decode(Int.self, forKey: .channels))
    epsilon = try values.value(.epsilon, default: epsilon)
    momentum = try values.value(.momentum, default: momentum)
  }
}

extension BatchNormalization: OperationRules {
  static let kind = OperationKind.batchNormalization
  static let arity = 1...1
  static let settingNames = CodingKeys.allCases.map(\.rawValue)

  var operation: Operation { .batchNormalization(self) }
  var formatVersion: Int { 1 }
  var isWithinLimits: Bool { Limits.holds([channels]) }
  var defect: String? {
    channels > 0 && epsilon > 0 && epsilon.isFinite && (0...1).contains(momentum)
      ? nil : "a batch normalisation needs channels, a positive finite ε and a momentum in 0…1"
  }

  func shape(of inputs: [Shape]) throws(ShapeMismatch) -> Shape {
    try ShapeMismatch.check(inputs[0], hasChannels: channels)
    return inputs[0]
  }

  var parameters: [ParameterRule] {
    [
      .init(suffix: "weight", shape: [channels], role: .normalizationScale),
      .init(suffix: "bias", shape: [channels], role: .normalizationShift),
      .init(suffix: "running_mean", shape: [channels], role: .runningMean),
      .init(suffix: "running_var", shape: [channels], role: .runningVariance),
      .init(suffix: "num_batches_tracked", shape: [], role: .batchCount),
    ]
  }

  func costs(input: Shape, output: Shape) -> [OperationCost] {
    [.init(.batchNormalization, output: output, parameters: 2 * channels)]
  }

  var windows: [(convolution: Convolution, factor: Int)] { [] }
  var effect: InferenceEffect { .elementwise }
  var isFlat: Bool? { nil }
}
