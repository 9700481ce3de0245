// SPDX-License-Identifier: Apache-2.0

/// What a network gives for a batch of images at one of its outputs.
public struct OutputTensor: Sendable, Hashable {
  /// The name of the output: the node of the network that gives it.
  public var name: String
  /// [N, …]: the images first.
  public var shape: [Int]
  /// The values, row by row.
  public var values: [Float]

  /// An output; the values must fill the shape exactly.
  public init(name: String, shape: [Int], values: [Float]) {
    precondition(shape.reduce(1, *) == values.count, "the values must fill the shape exactly")
    self.name = name
    self.shape = shape
    self.values = values
  }

  /// The number of images, N.
  public var count: Int { shape.first ?? 0 }
}
