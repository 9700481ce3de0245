// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels

/// The precision of the products of a plan. Sums, residual sums, gates and everything between the
/// blocks stay in single precision.
public enum Precision: String, Sendable, Hashable, CaseIterable, Codable {
  /// Single precision throughout.
  case float32
  /// Products of bfloat16: 8 significant bits, the range of single precision.
  case bfloat16
  /// Products of 8-bit integers: weights with a scale per channel, activations with a scale and a
  /// zero per tensor, from a ``Calibration``.
  case int8

  /// Whether this processor multiplies such values in instructions of their own. Plans run
  /// without them, too, but slower than in single precision.
  public var isAccelerated: Bool { self == .float32 || mux_has_cells(kernels) }

  var kernels: mux_precision {
    switch self {
    case .float32: MUX_FLOAT32
    case .bfloat16: MUX_BFLOAT16
    case .int8: MUX_INT8
    }
  }

  /// Values that are multiplied and added up at once.
  var valuesPerGroup: Int { self == .int8 ? 4 : 2 }

  /// Bytes of a value.
  var valueSize: Int { 4 / valuesPerGroup }
}

/// The ranges of a network's tensors, measured on images, from which 8-bit plans take their scales.
public struct Calibration: Sendable, Hashable, Codable {
  /// The least and the greatest value of a tensor.
  public struct ValueRange: Sendable, Hashable, Codable {
    /// The least value.
    public var low: Float
    /// The greatest value.
    public var high: Float

    /// A range.
    public init(low: Float, high: Float) {
      self.low = low
      self.high = high
    }

    /// Whether a scale can be made of it: finite, far from overflow, and the right way round.
    var isUsable: Bool { low <= high && low > -1e30 && high < 1e30 }
  }

  /// Ranges by layer and tensor: "blocks.1.0.conv_dw/middle".
  public var ranges: [String: ValueRange]

  /// A calibration from its ranges.
  public init(ranges: [String: ValueRange] = [:]) {
    self.ranges = ranges
  }

  /// Widens the ranges to take in others.
  public mutating func merge(_ other: Calibration) {
    for (key, range) in other.ranges {
      let own = ranges[key] ?? range
      ranges[key] = ValueRange(low: min(own.low, range.low), high: max(own.high, range.high))
    }
  }
}

/// q = value / scale + zero, 0…255.
struct Quantization {
  var scale: Float
  var zero: Float

  /// What bfloat16 needs: nothing.
  static let none = Quantization(scale: 1, zero: 0)

  init(scale: Float, zero: Float) {
    self.scale = scale
    self.zero = zero
  }

  /// The range with zero in it, which padding needs to be exact.
  init(_ range: Calibration.ValueRange) {
    let low = min(range.low, 0), high = max(range.high, 0)
    scale = max((high - low) / 255, 1e-12)
    zero = min(max((-low / scale).rounded(), 0), 255)
  }

  var kernels: mux_quantization { mux_quantization(inverse: 1 / scale, zero: zero) }
}
