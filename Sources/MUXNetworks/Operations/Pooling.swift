// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// A pool over square windows.
public struct Pooling: Sendable, Hashable, Codable {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case kind, kernelSize, stride, padding, countsPadding
  }

  /// What is taken over a window.
  public enum Kind: String, Sendable, Hashable, Codable {
    /// The maximum.
    case maximum
    /// The mean; padded zeros count only if `countsPadding`.
    case average
  }

  /// What is taken over a window.
  public var kind: Kind
  /// The side of the window in pixels.
  public var kernelSize: Int
  /// The step of the window in pixels.
  public var stride: Int
  /// Padding on each side.
  public var padding: Int
  /// Whether padded zeros count in a mean.
  public var countsPadding: Bool

  /// A pool.
  public init(
    kind: Kind, kernelSize: Int, stride: Int, padding: Int = 0, countsPadding: Bool = true
  ) {
    self.kind = kind
    self.kernelSize = kernelSize
    self.stride = stride
    self.padding = padding
    self.countsPadding = countsPadding
  }

  /// Reads a pool; all but kind, window and stride have defaults.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      kind: try values.decode(Kind.self, forKey: .kind),
      kernelSize: try values.decode(Int.self, forKey: .kernelSize),
      stride: try values.decode(Int.self, forKey: .stride),
      padding: try values.value(.padding, default: 0),
      countsPadding: try values.value(.countsPadding, default: true))
  }

  /// The number of windows over `size` positions, which may be 0.
  func outputSize(_ size: Int) -> Int {
    let span = size + 2 * padding - kernelSize
    return span < 0 ? 0 : span / stride + 1
  }
}

extension Pooling: OperationRules {
  static let kind = OperationKind.pool
  static let arity = 1...1
  static let settingNames = CodingKeys.allCases.map(\.rawValue)

  var operation: Operation { .pool(self) }
  var formatVersion: Int { 1 }
  var isWithinLimits: Bool { Limits.holds([kernelSize, stride, padding]) }
  var defect: String? {
    kernelSize > 0 && stride > 0 && padding >= 0 && padding * 2 <= kernelSize
      ? nil : "a pool needs a window, a stride, and padding of at most half the window"
  }

  func shape(of inputs: [Shape]) throws(ShapeMismatch) -> Shape {
    Shape(
      channels: inputs[0].channels, height: outputSize(inputs[0].height),
      width: outputSize(inputs[0].width))
  }

  var parameters: [ParameterRule] { [] }
  func costs(input: Shape, output: Shape) -> [OperationCost] { [.init(.other, output: output)] }
  var windows: [(convolution: Convolution, factor: Int)] { [] }
  var effect: InferenceEffect { .computes }
  var isFlat: Bool? { false }
}
