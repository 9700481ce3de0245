// SPDX-License-Identifier: Apache-2.0
public import MUXCore
import MUXVision

/// What softens the targets of a batch: label smoothing, mixup and cutmix.
public struct MixingConfiguration: Codable, Hashable, Sendable {
  /// Share of the target that is spread evenly over all classes.
  public var labelSmoothing: Double = 0
  /// Mixup's alpha (Zhang et al. 2018); 0 switches it off.
  public var mixup: Double = 0
  /// CutMix's alpha (Yun et al. 2019); 0 switches it off.
  public var cutmix: Double = 0
  /// Share of the batches that are mixed.
  public var probability: Double = 1
  /// If both are on, the share of mixed batches that use CutMix.
  public var switchProbability: Double = 0.5
  /// Epoch from which batches are no longer mixed; `nil` means never.
  public var endEpoch: Int?

  /// The defaults: nothing is softened.
  public init() {}

  /// Reads the settings that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    try self.init(settingsFrom: decoder)
  }

  /// Whether batches of `epoch` may be mixed.
  func mixes(epoch: Int) -> Bool {
    (mixup > 0 || cutmix > 0) && probability > 0 && epoch < endEpoch ?? .max
  }

  /// Mixes the images of a batch in place, if it is its turn; what is drawn follows from the seed,
  /// the epoch and the number of the batch.
  ///
  /// - Returns: The targets as probabilities without smoothing, [N, classes] row by row; nil where
  ///   nothing was mixed.
  func apply(to batch: inout Batch, seed: UInt64, classes: Int) -> [Float]? {
    guard mixes(epoch: batch.place.epoch) else { return nil }
    let mixing = BatchMixing(
      mixupAlpha: mixup, cutmixAlpha: cutmix, probability: probability,
      switchProbability: switchProbability)
    let mix = mixing.draw(
      seed: seed, epoch: batch.place.epoch, batch: batch.place.index, width: batch.pixels.width,
      height: batch.pixels.height)
    guard mix != .none else { return nil }
    BatchMixing.apply(mix, to: &batch.pixels)
    return mixing.targets(
      of: batch.targets.map(\.classes), lambda: mix.lambda, classCount: classes)
  }
}

extension MixingConfiguration: SettingGroup {
  package static var settings: [Setting<Self>] {
    [
      Setting(
        "labelSmoothing", \.labelSmoothing,
        "Share of the target that is spread evenly over all classes",
        in: .within(0..<1)),
      Setting(
        "mixup", \.mixup, "Mixup's alpha (Zhang et al. 2018); 0 switches it off",
        in: .within(0...1000)),
      Setting(
        "cutmix", \.cutmix, "CutMix's alpha (Yun et al. 2019); 0 switches it off",
        in: .within(0...1000)),
      Setting(
        "probability", \.probability, "Share of the batches that are mixed",
        in: .within(0...1)),
      Setting(
        "switchProbability", \.switchProbability,
        "If both are on, the share of mixed batches that use CutMix", in: .within(0...1)),
      Setting(
        "endEpoch", \.endEpoch, "Epoch from which batches are no longer mixed", absent: "never",
        unit: "epochs", in: .within(0...1_000_000)),
    ]
  }

  /// Throws an error that names the first setting out of its range.
  public func validate(path: String = "mixing") throws(ConfigurationError) {
    try checkSettings(path: path)
  }
}
