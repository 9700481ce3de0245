// SPDX-License-Identifier: Apache-2.0

/// What the mean over a whole image says of itself.
struct GlobalAveragePoolRules: Codable {}

extension GlobalAveragePoolRules: OperationRules {
  static let kind = OperationKind.globalAveragePool
  static let arity = 1...1
  static let settingNames: [String] = []

  var operation: Operation { .globalAveragePool }
  var formatVersion: Int { 1 }
  var isWithinLimits: Bool { true }
  var defect: String? { nil }

  func shape(of inputs: [Shape]) throws(ShapeMismatch) -> Shape {
    Shape(channels: inputs[0].channels)
  }

  var parameters: [ParameterRule] { [] }

  /// The paper's counter adds an operation for each mean.
  func costs(input: Shape, output: Shape) -> [OperationCost] {
    [.init(.other, output: output, extraMultiplyAdds: output.count)]
  }

  var windows: [(convolution: Convolution, factor: Int)] { [] }
  var effect: InferenceEffect { .computes }
  var isFlat: Bool? { false }
}
