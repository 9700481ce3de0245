// SPDX-License-Identifier: Apache-2.0
public import MUXCore

extension ImagePipeline {
  /// The most pixels that a pipeline for inference may ask for in one step, 8192 × 8192: it comes with a
  /// file, and a file's claims must not take all memory.
  package static let pixelLimit = 1 << 26

  /// What networks without a preparation of their own are given: the usual evaluation of ImageNet
  /// networks, which public weights are made for. The shorter side is scaled to 8/7 of the larger
  /// side of `size`, bicubic, then the middle cut out.
  ///
  /// - Parameters:
  ///   - channels: 3, or 1 for grey.
  ///   - size: The network's image size.
  ///   - normalization: Mean and deviation; nil takes ImageNet's.
  package static func usual(
    channels: Int, size: ImageSize, normalization: Normalization? = nil
  ) -> ImagePipeline {
    let standard =
      channels == 1
      ? Normalization(mean: [0.449], standardDeviation: [0.226])
      : Normalization(mean: imageNetMean, standardDeviation: imageNetDeviation)
    let fitting = normalization.flatMap { $0.mean.count == channels ? $0 : nil } ?? standard
    return ImagePipeline(
      transforms: [
        .resize(
          Resize(
            shorterSide: Int(Double(max(size.width, size.height)) / 0.875),
            interpolation: .bicubic)),
        .centerCrop(size),
      ], channels: channels == 1 ? 1 : 3, mean: fitting.mean,
      standardDeviation: fitting.standardDeviation)
  }

  /// The size that every image gets; nil where it depends on the image's own.
  public var outputSize: ImageSize? {
    transforms.reduce(nil) { size, step in
      switch step {
      case .resize(let resize): resize.size
      case .centerCrop(let size): size
      case .randomCrop(let crop): crop.size
      case .randomResizedCrop(let crop): crop.size
      case .letterbox(let letterbox): letterbox.size
      case .horizontalFlip, .colorJitter, .randAugment, .photometricDistortion: size
      case .randomExpansion, .overlapCrop: nil
      }
    }
  }

  /// Where the steps move the points of an image of a size; nil where one of them is random.
  package func motion(of size: ImageSize) -> ImageMotion? {
    var (motion, size) = (ImageMotion(), size)
    for step in transforms {
      guard let (next, result) = step.fixedMotion(of: size) else { return nil }
      motion = motion.followed(by: next)
      size = result
    }
    return motion
  }

  /// What is known about an image of a size after fixed steps: boxes move with it.
  package static func moved(
    _ target: Target, of size: ImageSize, by steps: [ImageTransform]
  ) -> Target {
    guard case .boxes(var boxes) = target else { return target }
    var size = size
    for step in steps {
      guard let (motion, result) = step.fixedMotion(of: size) else { return target }
      if motion != ImageMotion() { boxes = boxes.compactMap { motion.apply(to: $0, in: result) } }
      size = result
    }
    return .boxes(boxes)
  }

  /// The same preparation for another size of the result: all sizes grow or shrink with it. Nothing
  /// changes where the result's size depends on the image.
  package func fitted(to size: ImageSize) -> ImagePipeline {
    guard let own = outputSize, own != size else { return self }
    let width = Double(size.width) / Double(own.width)
    let height = Double(size.height) / Double(own.height)
    func fitted(_ size: ImageSize) -> ImageSize {
      ImageSize(
        height: max(1, Int((Double(size.height) * height).rounded())),
        width: max(1, Int((Double(size.width) * width).rounded())))
    }
    var result = self
    for index in transforms.indices {
      switch transforms[index] {
      case .resize(var resize):
        resize.size = resize.size.map(fitted)
        resize.shorterSide = resize.shorterSide.map {
          max(1, Int((Double($0) * max(width, height)).rounded()))
        }
        result.transforms[index] = .resize(resize)
      case .centerCrop(let size): result.transforms[index] = .centerCrop(fitted(size))
      case .letterbox(var letterbox):
        letterbox.size = fitted(letterbox.size)
        result.transforms[index] = .letterbox(letterbox)
      case .randomCrop, .randomResizedCrop, .horizontalFlip, .colorJitter, .randAugment,
        .photometricDistortion, .randomExpansion, .overlapCrop:
        break
      }
    }
    return result
  }

  /// Why the pipeline cannot prepare images for inference, nil if it can: it has random steps, or asks
  /// for more pixels than an image may have.
  package var inferenceDefect: String? {
    for step in transforms {
      let sides: ImageSize
      switch step {
      case .resize(let resize):
        sides = resize.size ?? ImageSize(resize.shorterSide ?? 1)
      case .centerCrop(let size): sides = size
      case .randomCrop: return "the step 'randomCrop' is random"
      case .randomResizedCrop: return "the step 'randomResizedCrop' is random"
      case .horizontalFlip: return "the step 'horizontalFlip' is random"
      case .colorJitter: return "the step 'colorJitter' is random"
      case .randAugment: return "the step 'randAugment' is random"
      case .letterbox(let letterbox): sides = letterbox.size
      case .photometricDistortion: return "the step 'photometricDistortion' is random"
      case .randomExpansion: return "the step 'randomExpansion' is random"
      case .overlapCrop: return "the step 'overlapCrop' is random"
      }
      let (pixels, overflow) = sides.width.multipliedReportingOverflow(by: sides.height)
      guard sides.width > 0, sides.height > 0, !overflow, pixels <= Self.pixelLimit else {
        return "images of \(sides) pixels are too large"
      }
    }
    if erasing != nil { return "erasing is random" }
    if cutout != nil { return "cutout is random" }
    return nil
  }

  /// Applies the steps of a pipeline that has no random ones: what evaluations and predictions do to
  /// an image before it is normalised.
  ///
  /// - Throws: ``ImageError`` if a step cannot be applied to the image.
  public func prepared(_ image: Image) throws(ImageError) -> Image {
    // Nothing draws from it.
    var stream = Self.stream(seed: 0, epoch: 0, index: 0)
    return try transform(image, random: &stream)
  }
}
