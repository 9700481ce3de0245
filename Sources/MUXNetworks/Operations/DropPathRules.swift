// SPDX-License-Identifier: Apache-2.0

/// What stochastic depth says of itself.
struct DropPathRules: Codable {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case rate
  }

  var rate: Double
}

extension DropPathRules: OperationRules {
  static let kind = OperationKind.dropPath
  static let arity = 1...1
  static let settingNames = CodingKeys.allCases.map(\.rawValue)

  var operation: Operation { .dropPath(rate: rate) }
  var formatVersion: Int { 1 }
  var isWithinLimits: Bool { true }
  var defect: String? {
    (0..<1).contains(rate) ? nil : "a drop rate must be in 0..<1, not \(rate)"
  }

  func shape(of inputs: [Shape]) throws(ShapeMismatch) -> Shape { inputs[0] }

  var parameters: [ParameterRule] { [] }
  func costs(input: Shape, output: Shape) -> [OperationCost] { [.init(.other, output: output)] }
  var windows: [(convolution: Convolution, factor: Int)] { [] }
  /// Nothing is dropped at inference.
  var effect: InferenceEffect { .selects(.all) }
  var isFlat: Bool? { nil }
}
