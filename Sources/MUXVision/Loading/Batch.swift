// SPDX-License-Identifier: Apache-2.0
public import MUXImages

/// Normalised images with their labels, in host memory.
public struct Batch: Sendable, Hashable {
  /// The epoch that the batch belongs to.
  public var epoch: Int
  /// The number of the batch within its epoch.
  public var index: Int
  /// Images in the batch, N.
  public var count: Int
  /// Channels of an image, C.
  public var channels: Int
  /// Rows of an image, H.
  public var height: Int
  /// Columns of an image, W.
  public var width: Int
  /// The order of `values` in memory.
  public var layout: MemoryLayout4D
  /// The normalised values, N · C · H · W of them.
  public var values: [Float]
  /// The classes, N of them.
  public var labels: [Int64]
  /// The samples' indices in the data set.
  public var sampleIndices: [Int]

  /// Makes a batch of N = `labels.count` images; `values` has N · C · H · W of them.
  public init(
    epoch: Int = 0, index: Int = 0, channels: Int, height: Int, width: Int,
    layout: MemoryLayout4D = .channelsFirst, values: [Float], labels: [Int64],
    sampleIndices: [Int]
  ) {
    precondition(
      values.count == labels.count * channels * height * width,
      "the values must fill the batch exactly")
    self.epoch = epoch
    self.index = index
    self.count = labels.count
    self.channels = channels
    self.height = height
    self.width = width
    self.layout = layout
    self.values = values
    self.labels = labels
    self.sampleIndices = sampleIndices
  }

  /// [N, C, H, W], whatever the layout.
  public var shape: [Int] { [count, channels, height, width] }

  /// One image of the batch made visible again: normalisation undone, clamped to 0 … 255.
  public func image(at index: Int, pipeline: ImagePipeline) -> Image {
    precondition(index >= 0 && index < count, "no such image in the batch")
    precondition(pipeline.channels == channels, "the pipeline has other channels than the batch")
    let plane = width * height
    return Image(width: width, height: height, channels: channels) { target in
      for pixel in 0..<plane {
        for channel in 0..<channels {
          let offset =
            layout == .channelsLast ? pixel * channels + channel : channel * plane + pixel
          let value =
            values[index * plane * channels + offset] * pipeline.standardDeviation[channel]
            + pipeline.mean[channel]
          target[pixel * channels + channel] = UInt8(max(0, min(255, (value * 255).rounded())))
        }
      }
    }
  }
}
