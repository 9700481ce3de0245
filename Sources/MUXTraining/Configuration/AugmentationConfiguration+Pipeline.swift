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
      if nativeSize != size { steps.append(resize(to: size)) }
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
      steps.append(resize(to: size))
    }
    return ImagePipeline(
      transforms: steps, channels: normalization.mean.count, mean: normalization.mean,
      standardDeviation: normalization.standardDeviation)
  }

  private func resize(to side: Int) -> ImageTransform {
    .resize(Resize(size: ImageSize(side), interpolation: interpolation))
  }
}
