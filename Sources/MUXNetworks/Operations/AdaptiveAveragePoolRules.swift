// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// What the means over a grid of windows say of themselves.
struct AdaptiveAveragePoolRules: Codable {
  var size: ImageSize

  init(size: ImageSize) { self.size = size }

  init(from decoder: any Decoder) throws { size = try ImageSize(from: decoder) }

  func encode(to encoder: any Encoder) throws { try size.encode(to: encoder) }
}

extension AdaptiveAveragePoolRules: OperationRules {
  static let kind = OperationKind.adaptiveAveragePool
  static let arity = 1...1
  static let settingNames = ImageSize.CodingKeys.allCases.map(\.rawValue)

  var operation: Operation { .adaptiveAveragePool(size) }
  var formatVersion: Int { 1 }
  var isWithinLimits: Bool { Limits.holds([size.height, size.width]) }
  var defect: String? {
    size.height > 0 && size.width > 0
      ? nil : "an adaptive pool needs at least one window in each direction"
  }

  func shape(of inputs: [Shape]) throws(ShapeMismatch) -> Shape {
    Shape(channels: inputs[0].channels, height: size.height, width: size.width)
  }

  var parameters: [ParameterRule] { [] }
  func costs(input: Shape, output: Shape) -> [OperationCost] { [.init(.other, output: output)] }
  var windows: [(convolution: Convolution, factor: Int)] { [] }
  var effect: InferenceEffect { .computes }
  var isFlat: Bool? { false }
}
