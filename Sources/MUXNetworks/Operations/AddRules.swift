// SPDX-License-Identifier: Apache-2.0

/// What a sum says of itself.
struct AddRules: Codable {}

extension AddRules: OperationRules {
  static let kind = OperationKind.add
  static let arity = 2...2
  static let settingNames: [String] = []

  var operation: Operation { .add }
  var formatVersion: Int { 1 }
  var isWithinLimits: Bool { true }
  var defect: String? { nil }

  func shape(of inputs: [Shape]) throws(ShapeMismatch) -> Shape {
    guard inputs[0] == inputs[1] else {
      throw ShapeMismatch(reason: "\(inputs[0]) and \(inputs[1]) cannot be added")
    }
    return inputs[0]
  }

  var parameters: [ParameterRule] { [] }
  func costs(input: Shape, output: Shape) -> [OperationCost] { [.init(.other, output: output)] }
  var windows: [(convolution: Convolution, factor: Int)] { [] }
  var effect: InferenceEffect { .elementwise }
  var isFlat: Bool? { nil }
}
