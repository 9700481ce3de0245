// SPDX-License-Identifier: Apache-2.0
public import MUXCore

extension ImagePipeline {
  /// Mean of ImageNet's channels.
  public static let imageNetMean: [Float] = [0.485, 0.456, 0.406]
  /// Standard deviation of ImageNet's channels.
  public static let imageNetDeviation: [Float] = [0.229, 0.224, 0.225]
  /// Mean of CIFAR-10's channels.
  public static let cifarMean: [Float] = [0.4914, 0.4822, 0.4465]
  /// Standard deviation of CIFAR-10's channels.
  public static let cifarDeviation: [Float] = [0.2470, 0.2435, 0.2616]

  /// ImageNet training: "Inception" crop (area 8–100 %, aspect 3/4–4/3), bicubic, flip.
  /// - Parameters:
  ///   - size: The side of the result.
  ///   - colorJitter: Brightness, contrast and saturation of this strength; 0 for none.
  ///   - randAugment: RandAugment instead of or after the jitter.
  ///   - erasing: Random erasing after normalisation.
  public static func imageNetTraining(
    size: ImageSize = 224, colorJitter: Double = 0, randAugment: RandAugment? = nil,
    erasing: RandomErasing? = nil
  ) -> ImagePipeline {
    var steps: [ImageTransform] = [
      .randomResizedCrop(RandomResizedCrop(size: size, interpolation: .bicubic)),
      .horizontalFlip(),
    ]
    if colorJitter > 0 {
      steps.append(
        .colorJitter(
          ColorJitter(brightness: colorJitter, contrast: colorJitter, saturation: colorJitter)))
    }
    if let randAugment { steps.append(.randAugment(randAugment)) }
    return ImagePipeline(
      transforms: steps, mean: imageNetMean, standardDeviation: imageNetDeviation,
      erasing: erasing)
  }

  /// ImageNet evaluation: the shorter side to size / 0.875, bicubic, then the middle.
  public static func imageNetEvaluation(
    size: Int = 224, cropFraction: Double = 0.875, interpolation: Interpolation = .bicubic
  ) -> ImagePipeline {
    // A fraction near 0 asks for more pixels than there are numbers.
    let exact = Double(size) / cropFraction
    let side = exact >= 1 && exact < 1_048_576 ? Int(exact) : size
    return ImagePipeline(
      transforms: [
        .resize(Resize(shorterSide: side, interpolation: interpolation)),
        .centerCrop(ImageSize(size)),
      ], mean: imageNetMean, standardDeviation: imageNetDeviation)
  }

  /// CIFAR training from scratch: 4 pixels of padding, crop of 32×32, flip.
  public static func cifarTraining(
    randAugment: RandAugment? = nil, erasing: RandomErasing? = nil, cutout: Cutout? = nil
  ) -> ImagePipeline {
    var steps: [ImageTransform] = [
      .randomCrop(RandomCrop(size: 32, padding: 4)), .horizontalFlip(),
    ]
    if let randAugment { steps.append(.randAugment(randAugment)) }
    return ImagePipeline(
      transforms: steps, mean: cifarMean, standardDeviation: cifarDeviation, erasing: erasing,
      cutout: cutout)
  }

  /// CIFAR evaluation: normalisation only.
  public static func cifarEvaluation() -> ImagePipeline {
    ImagePipeline(mean: cifarMean, standardDeviation: cifarDeviation)
  }

  /// CIFAR transfer: as the authors' script, padding and crop of 32×32, flip, then bicubic to
  /// `size` (on the 8-bit image here, on the normalised tensor there).
  public static func cifarTransferTraining(size: ImageSize = 224) -> ImagePipeline {
    var pipeline = cifarTraining()
    pipeline.transforms.append(.resize(Resize(size: size, interpolation: .bicubic)))
    return pipeline
  }

  /// CIFAR transfer, evaluation: bicubic to `size`.
  public static func cifarTransferEvaluation(size: ImageSize = 224) -> ImagePipeline {
    var pipeline = cifarEvaluation()
    pipeline.transforms.append(.resize(Resize(size: size, interpolation: .bicubic)))
    return pipeline
  }

  /// The digits, training: a shift of at most one pixel; no flip, which would change the meaning.
  /// - Parameters:
  ///   - size: The side of the result; 8 keeps the images as they are.
  ///   - channels: 1, or 3 to repeat the grey.
  public static func digitsTraining(size: Int = 8, channels: Int = 1) -> ImagePipeline {
    var pipeline = digitsEvaluation(size: size, channels: channels)
    pipeline.transforms.insert(.randomCrop(RandomCrop(size: 8, padding: 1)), at: 0)
    return pipeline
  }

  /// The digits, evaluation: mean and deviation of the digits' values (4.884 and 6.017 of 16).
  public static func digitsEvaluation(size: Int = 8, channels: Int = 1) -> ImagePipeline {
    ImagePipeline(
      transforms: size == 8
        ? [] : [.resize(Resize(size: ImageSize(size), interpolation: .bicubic))],
      channels: channels, mean: [Float](repeating: 0.3053, count: channels),
      standardDeviation: [Float](repeating: 0.3761, count: channels))
  }
}
