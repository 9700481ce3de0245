// SPDX-License-Identifier: Apache-2.0

/// What a flattening says of itself.
struct FlattenRules: Codable {}

extension FlattenRules: OperationRules {
  static let kind = OperationKind.flatten
  static let arity = 1...1
  static let settingNames: [String] = []

  var operation: Operation { .flatten }
  var formatVersion: Int { 1 }
  var isWithinLimits: Bool { true }
  var defect: String? { nil }

  func shape(of inputs: [Shape]) throws(ShapeMismatch) -> Shape {
    Shape(channels: inputs[0].count)
  }

  var parameters: [ParameterRule] { [] }
  func costs(input: Shape, output: Shape) -> [OperationCost] { [.init(.other, output: output)] }
  var windows: [(convolution: Convolution, factor: Int)] { [] }
  var effect: InferenceEffect { .reshapes }
  var isFlat: Bool? { true }
}
