// SPDX-License-Identifier: Apache-2.0

extension ImagePipeline {
  /// An image of a batch as a picture again: normalisation undone, the colours in their usual order.
  /// What lies outside of 0 … 1 by then, such as the noise of random erasing, is cut off.
  ///
  /// - Parameters:
  ///   - index: Which image.
  ///   - batch: Images that this pipeline has normalised.
  public func picture(_ index: Int, of batch: PixelBatch) -> Image {
    precondition(
      index >= 0 && index < batch.count && batch.channels == channels, "no such image of this kind")
    let plane = batch.width * batch.height
    let isLast = batch.layout == .channelsLast
    return Image(width: batch.width, height: batch.height, channels: channels) { target in
      for channel in 0..<channels {
        let place = channels == 3 && channelOrder == .bgr ? 2 - channel : channel
        for pixel in 0..<plane {
          let offset = isLast ? pixel * channels + channel : channel * plane + pixel
          let value =
            batch.values[index * plane * channels + offset] * standardDeviation[channel]
            + mean[channel]
          target[pixel * channels + place] =
            value.isNaN ? 0 : UInt8((min(max(value, 0), 1) * 255).rounded())
        }
      }
    }
  }
}
