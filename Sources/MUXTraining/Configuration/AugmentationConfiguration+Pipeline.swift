// SPDX-License-Identifier: Apache-2.0
import MUXEvaluation
public import MUXImages

extension AugmentationConfiguration {
  /// The steps for a training image.
  ///
  /// - Parameters:
  ///   - size: Side of the network's input in pixels.
  ///   - nativeSize: Side of the data set's images; nil where they differ.
  ///   - normalization: Mean and standard deviation of each channel.
  public func trainingPipeline(
    size: Int, nativeSize: Int?, normalization: Normalization
  ) -> ImagePipeline {
    var steps: [ImageTransform] = []
    let side = cropSize ?? nativeSize ?? size
    switch crop {
    case .randomResized:
      steps.append(
        .randomResizedCrop(
          RandomResizedCrop(
            size: ImageSize(size), scale: area[0]...area[1], ratio: aspect[0]...aspect[1],
            interpolation: interpolation)))
    case .padded:
      if side != nativeSize { steps.append(resize(to: side)) }
      if padding > 0 {
        steps.append(.randomCrop(RandomCrop(size: ImageSize(side), padding: padding)))
      }
    case .none:
      if nativeSize != size { steps.append(whole(size, normalization)) }
    case .overlap:
      let fill = Self.colour(normalization.mean)
      if distortion > 0 {
        steps.append(
          .photometricDistortion(
            PhotometricDistortion(probability: distortion, permutation: distortion)))
      }
      if expansion > 0, largestExpansion > 1 {
        steps.append(
          .randomExpansion(
            RandomExpansion(probability: expansion, largest: largestExpansion, fill: fill)))
      }
      steps.append(.overlapCrop(OverlapCrop(rule: overlapRule)))
      steps.append(whole(size, normalization))
    }
    if flip > 0 { steps.append(.horizontalFlip(probability: flip)) }
    if brightness > 0 || contrast > 0 || saturation > 0 || hue > 0 {
      steps.append(
        .colorJitter(
          ColorJitter(
            brightness: brightness, contrast: contrast, saturation: saturation, hue: hue)))
    }
    if randAugmentOperations > 0 {
      steps.append(
        .randAugment(
          RandAugment(operations: randAugmentOperations, magnitude: randAugmentMagnitude)))
    }
    if crop == .padded, side != size { steps.append(resize(to: size)) }
    return ImagePipeline(
      transforms: steps, channels: normalization.mean.count, mean: normalization.mean,
      standardDeviation: normalization.standardDeviation,
      erasing: erasing > 0 ? RandomErasing(probability: erasing) : nil,
      cutout: cutout > 0 ? Cutout(length: cutout) : nil)
  }

  /// The steps for an image to evaluate or predict; nothing is random.
  public func evaluationPipeline(size: Int, normalization: Normalization) -> ImagePipeline {
    var steps: [ImageTransform] = []
    if evaluationCrop < 1 {
      let side = Int((Double(size) / evaluationCrop).rounded())
      steps.append(.resize(Resize(shorterSide: side, interpolation: interpolation)))
      steps.append(.centerCrop(ImageSize(size)))
    } else {
      // Also where the data set's images have the size already: predictions see others.
      steps.append(whole(size, normalization))
    }
    return ImagePipeline(
      transforms: steps, channels: normalization.mean.count, mean: normalization.mean,
      standardDeviation: normalization.standardDeviation)
  }

  /// All of an image at the input's size.
  private func whole(_ side: Int, _ normalization: Normalization) -> ImageTransform {
    letterbox
      ? .letterbox(
        Letterbox(
          size: ImageSize(side), fill: Self.colour(normalization.mean),
          interpolation: interpolation))
      : resize(to: side)
  }

  /// The mean as a colour, which is 0 in the network's input.
  private static func colour(_ mean: [Float]) -> [UInt8] {
    mean.map { UInt8(min(max(($0 * 255).rounded(), 0), 255)) }
  }

  private func resize(to side: Int) -> ImageTransform {
    .resize(Resize(size: ImageSize(side), interpolation: interpolation))
  }
}
