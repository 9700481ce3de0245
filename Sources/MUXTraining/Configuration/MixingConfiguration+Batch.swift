// SPDX-License-Identifier: Apache-2.0
import MUXVision

extension MixingConfiguration {
  /// Mixes the images of a batch, if it is its turn.
  ///
  /// Image i is mixed with image N − 1 − i of the same batch. The draws follow from the seed, the
  /// epoch and the number of the batch.
  ///
  /// - Returns: The targets as probabilities, [N, classes] row by row; nil where nothing was mixed.
  func apply(to batch: inout Batch, epoch: Int, seed: UInt64, classes: Int) -> [Float]? {
    guard mixes(epoch: epoch) else { return nil }
    var random = RandomStream(
      seed: seed, purpose: .mixing, indices: UInt64(epoch), UInt64(batch.index))
    guard random.chance(probability) else { return nil }
    let usesCutmix = cutmix > 0 && (mixup == 0 || random.chance(switchProbability))
    let alpha = usesCutmix ? cutmix : mixup
    var share = random.beta(alpha, alpha)
    if usesCutmix {
      share = Self.pasteRectangles(into: &batch, share: share, random: &random)
    } else {
      Self.blend(&batch, share: Float(share))
    }
    var targets = [Float](repeating: 0, count: batch.count * classes)
    for (image, label) in batch.labels.enumerated() {
      let partner = batch.labels[batch.count - 1 - image]
      targets[image * classes + Int(label)] += Float(share)
      targets[image * classes + Int(partner)] += Float(1 - share)
    }
    return targets
  }

  /// Mixup: each image becomes share · itself + (1 − share) · its partner.
  private static func blend(_ batch: inout Batch, share: Float) {
    let volume = batch.values.count / max(batch.count, 1)
    let count = batch.count
    batch.values.withUnsafeMutableBufferPointer { values in
      for image in 0..<(count + 1) / 2 {
        let first = image * volume
        let second = (count - 1 - image) * volume
        for offset in 0..<volume {
          let (a, b) = (values[first + offset], values[second + offset])
          values[first + offset] = share * a + (1 - share) * b
          values[second + offset] = share * b + (1 - share) * a
        }
      }
    }
  }

  /// CutMix: partners exchange a rectangle of area 1 − share, cut off at the border.
  ///
  /// - Returns: The share that remains of each image.
  private static func pasteRectangles(
    into batch: inout Batch, share: Double, random: inout RandomStream
  ) -> Double {
    let (height, width, channels) = (batch.height, batch.width, batch.channels)
    let ratio = (1 - share).squareRoot()
    func span(_ length: Int) -> Range<Int> {
      let center = random.below(length)
      let half = Int(Double(length) * ratio) / 2
      return max(center - half, 0)..<min(center + half, length)
    }
    let rows = span(height)
    let columns = span(width)
    let isLast = batch.layout == .channelsLast
    let volume = height * width * channels
    let count = batch.count
    batch.values.withUnsafeMutableBufferPointer { values in
      for image in 0..<count / 2 {
        let first = image * volume
        let second = (count - 1 - image) * volume
        for channel in 0..<channels {
          for y in rows {
            for x in columns {
              let offset =
                isLast ? (y * width + x) * channels + channel : (channel * height + y) * width + x
              values.swapAt(first + offset, second + offset)
            }
          }
        }
      }
    }
    return 1 - Double(rows.count * columns.count) / Double(height * width)
  }
}
