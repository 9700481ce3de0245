// SPDX-License-Identifier: Apache-2.0

/// What a concatenation along the channels says of itself.
struct ConcatenateRules: Codable {}

extension ConcatenateRules: OperationRules {
  static let kind = OperationKind.concatenate
  static let arity = 1...Limits.inputs
  static let settingNames: [String] = []

  var operation: Operation { .concatenate }
  var formatVersion: Int { 1 }
  var isWithinLimits: Bool { true }
  var defect: String? { nil }

  func shape(of inputs: [Shape]) throws(ShapeMismatch) -> Shape {
    let input = inputs[0]
    guard inputs.allSatisfy({ $0.height == input.height && $0.width == input.width }) else {
      throw ShapeMismatch(reason: "images of different sizes cannot be concatenated")
    }
    return Shape(
      channels: inputs.reduce(0) { $0 + $1.channels }, height: input.height, width: input.width)
  }

  var parameters: [ParameterRule] { [] }
  func costs(input: Shape, output: Shape) -> [OperationCost] { [.init(.other, output: output)] }
  var windows: [(convolution: Convolution, factor: Int)] { [] }
  var effect: InferenceEffect { .selects(.joined) }
  var isFlat: Bool? { nil }
}
