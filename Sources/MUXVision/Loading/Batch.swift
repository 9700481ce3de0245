// SPDX-License-Identifier: Apache-2.0
public import MUXImages

/// Images for a network with what is known about them.
public struct Batch: Sendable, Hashable {
  /// Where a batch stands in a run.
  public struct Place: Sendable, Hashable {
    /// The epoch that the batch belongs to.
    public var epoch: Int
    /// The number of the batch within its epoch.
    public var index: Int
    /// The samples' indices in the data set.
    public var samples: [Int]

    /// The first batch of the first epoch unless given.
    public init(epoch: Int = 0, index: Int = 0, samples: [Int] = []) {
      self.epoch = epoch
      self.index = index
      self.samples = samples
    }
  }

  /// The images after all transforms, as the network takes them.
  public var pixels: PixelBatch
  /// What is known about each image, N of them; boxes are in pixels of the batch.
  public var targets: [Target]
  /// The sizes of the images before they were prepared, N of them.
  public var originalSizes: [ImageSize]
  /// Where the batch stands in a run.
  public var place: Place

  /// Makes a batch; there are as many targets as images, and as many sizes (those of the batch unless
  /// given).
  public init(
    pixels: PixelBatch, targets: [Target], originalSizes: [ImageSize]? = nil,
    place: Place = Place()
  ) {
    let sizes =
      originalSizes
      ?? targets.map { _ in ImageSize(height: pixels.height, width: pixels.width) }
    precondition(
      targets.count == pixels.count && sizes.count == pixels.count,
      "each image has one target and one size")
    self.pixels = pixels
    self.targets = targets
    self.originalSizes = sizes
    self.place = place
  }

  /// Images in the batch, N.
  public var count: Int { pixels.count }
}
