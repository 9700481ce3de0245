// SPDX-License-Identifier: Apache-2.0

/// What the operations say of themselves that drop values at random while a network trains: they have a
/// rate, change no shape, and do nothing at inference.
protocol DropRules: OperationRules {
  /// The share that is dropped, 0 ..< 1.
  var rate: Double { get }
}

extension DropRules {
  static var arity: ClosedRange<Int> { 1...1 }
  static var settingNames: [String] { ["rate"] }

  var formatVersion: Int { 1 }
  var isWithinLimits: Bool { true }
  var defect: String? {
    (0..<1).contains(rate) ? nil : "a drop rate must be in 0..<1, not \(rate)"
  }

  func shape(of inputs: [Shape]) throws(ShapeMismatch) -> Shape { inputs[0] }

  var parameters: [ParameterRule] { [] }
  func costs(input: Shape, output: Shape) -> [OperationCost] { [.init(.other, output: output)] }
  var windows: [(convolution: Convolution, factor: Int)] { [] }
  var effect: InferenceEffect { .selects(.all) }
  var isFlat: Bool? { nil }
}
