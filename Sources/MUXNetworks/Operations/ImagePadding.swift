// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// Rows and columns added around an image, in pixels; negative numbers cut off as many.
public struct ImagePadding: Sendable, Hashable, Codable {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case top, left, bottom, right
  }

  /// Rows above the image.
  public var top: Int
  /// Columns before it.
  public var left: Int
  /// Rows below it.
  public var bottom: Int
  /// Columns behind it.
  public var right: Int

  /// Padding of each side, 0 unless given.
  public init(top: Int = 0, left: Int = 0, bottom: Int = 0, right: Int = 0) {
    self.top = top
    self.left = left
    self.bottom = bottom
    self.right = right
  }

  /// Reads the padding; sides that are left out get none.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      top: try values.value(.top, default: 0), left: try values.value(.left, default: 0),
      bottom: try values.value(.bottom, default: 0), right: try values.value(.right, default: 0))
  }
}

extension ImagePadding: OperationRules {
  static let kind = OperationKind.pad
  static let arity = 1...1
  static let settingNames = CodingKeys.allCases.map(\.rawValue)

  var operation: Operation { .pad(self) }
  var formatVersion: Int { 1 }
  var isWithinLimits: Bool { Limits.holds([top, left, bottom, right]) }
  var defect: String? { nil }

  func shape(of inputs: [Shape]) throws(ShapeMismatch) -> Shape {
    Shape(
      channels: inputs[0].channels, height: max(0, inputs[0].height + top + bottom),
      width: max(0, inputs[0].width + left + right))
  }

  var parameters: [ParameterRule] { [] }
  func costs(input: Shape, output: Shape) -> [OperationCost] { [.init(.other, output: output)] }
  var windows: [(convolution: Convolution, factor: Int)] { [] }
  var effect: InferenceEffect { .computes }
  var isFlat: Bool? { nil }
}
