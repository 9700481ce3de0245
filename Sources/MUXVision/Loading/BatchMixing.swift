// SPDX-License-Identifier: Apache-2.0
import MUXCore
public import MUXImages

/// Mixup (Zhang et al., 2018) and cutmix (Yun et al., 2019) of a batch with itself reversed, and
/// label smoothing, as timm's `Mixup` in batch mode.
public struct BatchMixing: Sendable, Hashable, Codable {
  /// The parameter of mixup's Beta distribution; 0 turns it off.
  public var mixupAlpha: Double
  /// The parameter of cutmix's Beta distribution; 0 turns it off.
  public var cutmixAlpha: Double
  /// How often a batch is mixed at all.
  public var probability: Double
  /// How often cutmix is taken where both are on.
  public var switchProbability: Double
  /// What is taken from the true class and spread over all classes.
  public var labelSmoothing: Double

  /// Makes the settings.
  public init(
    mixupAlpha: Double = 0, cutmixAlpha: Double = 0, probability: Double = 1,
    switchProbability: Double = 0.5, labelSmoothing: Double = 0
  ) {
    self.mixupAlpha = mixupAlpha
    self.cutmixAlpha = cutmixAlpha
    self.probability = probability
    self.switchProbability = switchProbability
    self.labelSmoothing = labelSmoothing
  }

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case mixupAlpha, cutmixAlpha, probability, switchProbability, labelSmoothing
  }

  /// Decodes the settings; all have defaults.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
    self.init(
      mixupAlpha: try values.value(.mixupAlpha, default: 0),
      cutmixAlpha: try values.value(.cutmixAlpha, default: 0),
      probability: try values.value(.probability, default: 1),
      switchProbability: try values.value(.switchProbability, default: 0.5),
      labelSmoothing: try values.value(.labelSmoothing, default: 0))
    guard min(mixupAlpha, cutmixAlpha) >= 0, (0...1).contains(probability),
      (0...1).contains(switchProbability), (0..<1).contains(labelSmoothing)
    else {
      throw decoder.invalid("alphas must not be negative, probabilities and smoothing in 0 … 1")
    }
  }

  /// What is done to one batch.
  public enum Mix: Sendable, Hashable {
    /// The images stay as they are.
    case none
    /// `lambda` of each image and 1 − `lambda` of its partner.
    case mixup(lambda: Double)
    /// A rectangle of the partner; `lambda` is the share of the image that stays.
    case cutmix(PixelRectangle, lambda: Double)

    /// The share of the image's own label.
    public var lambda: Double {
      switch self {
      case .none: 1
      case .mixup(let lambda), .cutmix(_, let lambda): lambda
      }
    }
  }

  /// Draws what is done to a batch; it follows from the seed, the epoch and the batch alone.
  public func draw(seed: UInt64, epoch: Int, batch: Int, width: Int, height: Int) -> Mix {
    var random = RandomStream(
      seed: seed, purpose: .mixing, indices: UInt64(epoch), UInt64(batch))
    guard mixupAlpha > 0 || cutmixAlpha > 0, random.chance(probability) else { return .none }
    let cuts = cutmixAlpha > 0 && (mixupAlpha == 0 || random.chance(switchProbability))
    guard cuts else { return .mixup(lambda: random.beta(mixupAlpha, mixupAlpha)) }
    let side = (1 - random.beta(cutmixAlpha, cutmixAlpha)).squareRoot()
    let cutWidth = Int(Double(width) * side)
    let cutHeight = Int(Double(height) * side)
    let centerY = random.below(height)
    let centerX = random.below(width)
    let left = max(0, centerX - cutWidth / 2)
    let top = max(0, centerY - cutHeight / 2)
    let right = min(width, centerX + cutWidth / 2)
    let bottom = min(height, centerY + cutHeight / 2)
    let part = PixelRectangle(x: left, y: top, width: right - left, height: bottom - top)
    // The rectangle may be cut off at the border, so the share is taken from what is left.
    let lambda = 1 - Double(part.width * part.height) / Double(width * height)
    return .cutmix(part, lambda: lambda)
  }

  /// Mixes a batch in place; the same draw for the same seed, epoch and batch number.
  /// - Parameters:
  ///   - batch: The batch, of images that have classes; image i is mixed with image N − 1 − i.
  ///   - classCount: The number of classes, K.
  ///   - seed: The seed of the run.
  /// - Returns: The soft targets [N, K]; the rows of images of one class have the sum 1.
  public func apply(to batch: inout Batch, classCount: Int, seed: UInt64) -> [Float] {
    let mix = draw(
      seed: seed, epoch: batch.place.epoch, batch: batch.place.index, width: batch.pixels.width,
      height: batch.pixels.height)
    Self.apply(mix, to: &batch.pixels)
    return targets(of: batch.targets.map(\.classes), lambda: mix.lambda, classCount: classCount)
  }

  /// Applies a draw to the images of a batch.
  public static func apply(_ mix: Mix, to batch: inout PixelBatch) {
    let volume = batch.channels * batch.height * batch.width
    let (count, channels, height, width) = (batch.count, batch.channels, batch.height, batch.width)
    let isLast = batch.layout == .channelsLast
    batch.values.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      for first in 0..<(count / 2) {
        let a = base + first * volume
        let b = base + (count - 1 - first) * volume
        switch mix {
        case .none: break
        case .mixup(let lambda):
          let own = Float(lambda)
          let other = 1 - own
          for i in 0..<volume {
            let x = a[i]
            let y = b[i]
            a[i] = own * x + other * y
            b[i] = own * y + other * x
          }
        case .cutmix(let part, _):
          let planes = isLast ? 1 : channels
          let pixel = isLast ? channels : 1
          for plane in 0..<planes {
            for row in part.y..<(part.y + part.height) {
              let start = ((plane * height + row) * width + part.x) * pixel
              for i in start..<(start + part.width * pixel) {
                let x = a[i]
                a[i] = b[i]
                b[i] = x
              }
            }
          }
        }
      }
    }
  }

  /// Soft targets [N, K] of a batch whose images are mixed with those of the reversed batch.
  ///
  /// - Parameters:
  ///   - classes: The classes of each image.
  ///   - lambda: The share of the image itself in its mixture, 0 … 1.
  ///   - classCount: The number of classes, K.
  public func targets(of classes: [[Int]], lambda: Double, classCount: Int) -> [Float] {
    precondition(
      classes.allSatisfy { $0.allSatisfy { $0 >= 0 && $0 < classCount } },
      "a label lies outside the classes")
    let off = labelSmoothing / Double(classCount)
    let on = 1 - labelSmoothing
    var targets = [Float](repeating: Float(off), count: classes.count * classCount)
    for row in classes.indices {
      for label in classes[row] { targets[row * classCount + label] += Float(on * lambda) }
      for label in classes[classes.count - 1 - row] {
        targets[row * classCount + label] += Float(on * (1 - lambda))
      }
    }
    return targets
  }
}
