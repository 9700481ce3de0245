// SPDX-License-Identifier: Apache-2.0

/// Bounds far beyond any network of images, within which no count can overflow and all work stays in
/// proportion: networks come from files, and what a file claims may be anything.
///
/// A layer keeps to the bounds of settings when it is made; a network keeps to those of all layers
/// together. Sums over a network are then below 2⁶², so plain arithmetic is safe everywhere.
public enum Limits {
  /// Channels, features, sides, kernels, strides and the like.
  public static let setting = 1 << 24
  /// The factor of multiplexing.
  public static let factor = 1 << 8
  /// Branches of one convolution.
  public static let branches = 1 << 8
  /// Inputs of one concatenation.
  public static let inputs = 1 << 12
  /// Weights of one layer.
  public static let weights = 1 << 32
  /// Numbers in one tensor.
  public static let tensor = 1 << 31
  /// Multiply-adds of one layer.
  public static let multiplyAdds = 1 << 46

  /// Layers of a network; the largest one of the zoo has some 1,300.
  public static let nodes = 1 << 14
  /// Blocks of an architecture, repeats counted.
  public static let blocks = 1 << 11
  /// Inputs and branches of all layers together.
  public static let connections = 1 << 17
  /// Learnable scalars of a network: a gigabyte of weights, some twice as many as VGG16 has. Every file
  /// holds them; ONNX's ends below 2 GiB.
  public static let parameters = 1 << 28
  /// Channels of all values of a network together.
  public static let channels = 1 << 24
  /// Bytes of a network file or a block-string file.
  public static let fileBytes = 1 << 24
  /// Commas, colons, dashes and brackets in such a file, which bound the values in it.
  package static let fileMarks = 1 << 20

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
