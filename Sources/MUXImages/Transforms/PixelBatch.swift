// SPDX-License-Identifier: Apache-2.0

/// Normalised images in host memory: what goes into a network.
public struct PixelBatch: Sendable, Hashable {
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

  /// Makes a batch of N images; `values` has N · C · H · W of them.
  public init(
    count: Int, channels: Int, height: Int, width: Int, layout: MemoryLayout4D = .channelsFirst,
    values: [Float]
  ) {
    precondition(
      values.count == count * channels * height * width, "the values must fill the batch exactly")
    self.count = count
    self.channels = channels
    self.height = height
    self.width = width
    self.layout = layout
    self.values = values
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
