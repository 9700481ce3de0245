// SPDX-License-Identifier: Apache-2.0

/// What a channel shuffle says of itself.
struct ChannelShuffleRules: Codable {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case groups
  }

  var groups: Int
}

extension ChannelShuffleRules: OperationRules {
  static let kind = OperationKind.channelShuffle
  static let arity = 1...1
  static let settingNames = CodingKeys.allCases.map(\.rawValue)

  var operation: Operation { .channelShuffle(groups: groups) }
  var formatVersion: Int { 1 }
  var isWithinLimits: Bool { Limits.holds([groups]) }
  var defect: String? { groups > 0 ? nil : "a shuffle needs at least one group" }

  func shape(of inputs: [Shape]) throws(ShapeMismatch) -> Shape {
    guard inputs[0].channels % groups == 0 else {
      throw ShapeMismatch(
        reason: "\(inputs[0].channels) channels cannot be shuffled in \(groups) groups")
    }
    return inputs[0]
  }

  var parameters: [ParameterRule] { [] }
  func costs(input: Shape, output: Shape) -> [OperationCost] { [.init(.other, output: output)] }
  var windows: [(convolution: Convolution, factor: Int)] { [] }
  var effect: InferenceEffect { .selects(.shuffled(groups: groups)) }
  var isFlat: Bool? { nil }
}
