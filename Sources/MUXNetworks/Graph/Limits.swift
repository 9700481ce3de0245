// SPDX-License-Identifier: Apache-2.0

/// Bounds far beyond any network of images, within which no count can overflow: networks come from
/// files, and what a file claims may be anything.
enum Limits {
  /// Channels, features, sides, kernels, strides and the like.
  static let setting = 1 << 24
  /// The factor of multiplexing.
  static let factor = 1 << 8
  /// Weights of one layer.
  static let weights = 1 << 32
  /// Numbers in one tensor.
  static let tensor = 1 << 31

  /// Whether all are between −limit and limit.
  static func holds(_ values: [Int], _ limit: Int = setting) -> Bool {
    values.allSatisfy { $0 >= -limit && $0 <= limit }
  }

  /// Whether the product of numbers that are not negative stays below a limit.
  static func holdsProduct(_ values: [Int], below limit: Int) -> Bool {
    if values.contains(0) { return true }
    var product = 1
    for value in values {
      let (next, overflow) = product.multipliedReportingOverflow(by: value)
      if overflow || next >= limit { return false }
      product = next
    }
    return true
  }
}

extension Shape {
  /// Whether a tensor may have this shape.
  var isWithinLimits: Bool {
    channels >= 0 && height >= 0 && width >= 0
      && Limits.holdsProduct([channels, height, width], below: Limits.tensor)
      && Limits.holds([channels, height, width], Limits.tensor)
  }
}

extension Convolution {
  /// Whether the settings and the number of weights are within bounds.
  var isWithinLimits: Bool {
    Limits.holds([inputChannels, outputChannels, kernelSize, stride, padding, dilation, groups])
      && (groups < 1 || kernelSize < 1 || inputChannels < 1 || outputChannels < 1
        || Limits.holdsProduct(weightShape, below: Limits.weights))
  }
}

extension Operation {
  /// Says which settings are beyond all bounds, nil if they are not; asked before ``defect``.
  var excess: String? {
    let isWithin =
      switch self {
      case .convolution(let convolution): convolution.isWithinLimits
      case .branchedConvolution(let branched):
        branched.branches.count <= Limits.factor
          && branched.branches.allSatisfy {
            $0.convolution.isWithinLimits && Limits.holds([$0.factor], Limits.factor)
          }
      case .batchNormalization(let norm): Limits.holds([norm.channels])
      case .l2Normalization(let norm): Limits.holds([norm.channels])
      case .linear(let linear):
        Limits.holds([linear.inputFeatures, linear.outputFeatures], Limits.tensor)
          && (linear.inputFeatures < 1 || linear.outputFeatures < 1
            || Limits.holdsProduct(
              [linear.inputFeatures, linear.outputFeatures], below: Limits.weights))
      case .slice(let slice): Limits.holds([slice.start, slice.count], Limits.tensor)
      case .channelShuffle(let groups): Limits.holds([groups])
      case .pool(let pool): Limits.holds([pool.kernelSize, pool.stride, pool.padding])
      case .adaptiveAveragePool(let size): Limits.holds([size.height, size.width])
      case .pad(let padding):
        Limits.holds([padding.top, padding.left, padding.bottom, padding.right])
      case .activation, .add, .multiply, .concatenate, .globalAveragePool, .flatten, .dropout,
        .dropPath:
        true
      }
    return isWithin ? nil : "its settings are far beyond what a network of images can have"
  }
}
