// SPDX-License-Identifier: Apache-2.0
import MUXCore

extension ImagePipeline {
  /// Mean of ImageNet's channels.
  public static let imageNetMean: [Float] = [0.485, 0.456, 0.406]
  /// Standard deviation of ImageNet's channels.
  public static let imageNetDeviation: [Float] = [0.229, 0.224, 0.225]
  /// Mean of CIFAR-10's channels.
  public static let cifarMean: [Float] = [0.4914, 0.4822, 0.4465]
  /// Standard deviation of CIFAR-10's channels.
  public static let cifarDeviation: [Float] = [0.2470, 0.2435, 0.2616]

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
}
