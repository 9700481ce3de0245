// SPDX-License-Identifier: Apache-2.0

/// What a product with a gate says of itself.
struct MultiplyRules: Codable {}

extension MultiplyRules: OperationRules {
  static let kind = OperationKind.multiply
  static let arity = 2...2
  static let settingNames: [String] = []

  var operation: Operation { .multiply }
  var formatVersion: Int { 1 }
  var isWithinLimits: Bool { true }
  var defect: String? { nil }

  func shape(of inputs: [Shape]) throws(ShapeMismatch) -> Shape {
    let input = inputs[0]
    guard inputs[1] == Shape(channels: input.channels) || inputs[1] == input else {
      throw ShapeMismatch(reason: "\(inputs[1]) cannot be a gate for \(input)")
    }
    return input
  }

  var parameters: [ParameterRule] { [] }

  /// The paper's counter adds the products.
  func costs(input: Shape, output: Shape) -> [OperationCost] {
    [.init(.other, output: output, extraMultiplyAdds: output.count)]
  }

  var windows: [(convolution: Convolution, factor: Int)] { [] }
  var effect: InferenceEffect { .elementwise }
  var isFlat: Bool? { nil }
}
