// SPDX-License-Identifier: Apache-2.0

/// What a non-linearity says of itself as an operation.
struct ActivationRules {
  var function: Activation
}

extension ActivationRules: OperationRules {
  static let kind = OperationKind.activation
  static let arity = 1...1
  static let settingNames = Activation.Key.allCases.map(\.rawValue)

  init(from decoder: any Decoder) throws { function = try Activation(flat: decoder) }

  func encode(to encoder: any Encoder) throws { try function.encode(flat: encoder) }

  var operation: Operation { .activation(function) }
  var formatVersion: Int { function.hasDefaults ? 1 : 2 }
  var isWithinLimits: Bool { true }
  var defect: String? { function.defect }

  func shape(of inputs: [Shape]) throws(ShapeMismatch) -> Shape { inputs[0] }

  var parameters: [ParameterRule] { [] }
  func costs(input: Shape, output: Shape) -> [OperationCost] { [.init(.other, output: output)] }
  var windows: [(convolution: Convolution, factor: Int)] { [] }
  var effect: InferenceEffect { .elementwise }
  var isFlat: Bool? { nil }
}
