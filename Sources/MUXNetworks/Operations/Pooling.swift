// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// A pool over square windows.
public struct Pooling: Sendable, Hashable, Codable {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case kind, kernelSize, stride, padding, countsPadding, ceilMode
  }

  /// What is taken over a window.
  public enum Kind: String, Sendable, Hashable, Codable {
    /// The maximum; padding never wins.
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
  /// Whether the size of the output is rounded up (maximum only): the last window may stick out of
  /// the image, as far as it starts in the image or in the padding before it.
  public var ceilMode: Bool

  /// A pool.
  public init(
    kind: Kind, kernelSize: Int, stride: Int, padding: Int = 0, countsPadding: Bool = true,
    ceilMode: Bool = false
  ) {
    self.kind = kind
    self.kernelSize = kernelSize
    self.stride = stride
    self.padding = padding
    self.countsPadding = countsPadding
    self.ceilMode = ceilMode
  }

  /// Reads a pool; all but kind, window and stride have defaults.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      kind: try values.decode(Kind.self, forKey: .kind),
      kernelSize: try values.decode(Int.self, forKey: .kernelSize),
      stride: try values.decode(Int.self, forKey: .stride),
      padding: try values.value(.padding, default: 0),
      countsPadding: try values.value(.countsPadding, default: true),
      ceilMode: try values.value(.ceilMode, default: false))
  }

  /// Writes a pool; what came after the first version of network files, only where it says something.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(kind, forKey: .kind)
    try values.encode(kernelSize, forKey: .kernelSize)
    try values.encode(stride, forKey: .stride)
    try values.encode(padding, forKey: .padding)
    try values.encode(countsPadding, forKey: .countsPadding)
    if ceilMode { try values.encode(ceilMode, forKey: .ceilMode) }
  }

  /// The number of windows over `size` positions, which may be 0.
  func outputSize(_ size: Int) -> Int {
    let span = size + 2 * padding - kernelSize + (ceilMode ? stride - 1 : 0)
    guard span >= 0 else { return 0 }
    let count = span / stride + 1
    // A window that would start behind the image does not count (PyTorch's rule).
    return ceilMode && (count - 1) * stride >= size + padding ? count - 1 : count
  }
}

extension Pooling: OperationRules {
  static let kind = OperationKind.pool
  static let arity = 1...1
  static let settingNames = CodingKeys.allCases.map(\.rawValue)

  var operation: Operation { .pool(self) }
  var formatVersion: Int { ceilMode ? 2 : 1 }
  var isWithinLimits: Bool { Limits.holds([kernelSize, stride, padding]) }
  var defect: String? {
    if ceilMode && kind == .average { return "only a maximum pool rounds its size up" }
    return kernelSize > 0 && stride > 0 && padding >= 0 && padding * 2 <= kernelSize
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
