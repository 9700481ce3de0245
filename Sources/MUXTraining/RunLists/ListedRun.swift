// SPDX-License-Identifier: Apache-2.0
package import MUXEvaluation
package import MUXImages
package import MUXTasks

/// A training of a list, and how its result is measured.
package struct ListedRun: Sendable {
  /// Its name in the list, and of its folder.
  package var name: String
  /// Every setting; where it writes follows from the list.
  package var configuration: TrainingConfiguration
  /// The part of the data on which the result is measured.
  package var part: DataPart
  /// The views of each image that are averaged there.
  package var augmentation: TestAugmentation
  /// How intervals of the scores are drawn; nil leaves them out.
  package var resampling: Resampling?

  /// A training, measured on the test images.
  package init(
    name: String, configuration: TrainingConfiguration, part: DataPart = .test,
    augmentation: TestAugmentation = .none, resampling: Resampling? = nil
  ) {
    self.name = name
    self.configuration = configuration
    self.part = part
    self.augmentation = augmentation
    self.resampling = resampling
  }
}

/// What a training of a list came to: `NAME.json` in the list's folder.
package struct ListedOutcome: Codable, Hashable, Sendable {
  /// The version of such files.
  package var version = 1
  /// The run.
  package var name: String
  /// Why the training ended.
  package var ending: TrainingResult.Ending
  /// Epochs done.
  package var epochs: Int
  /// Optimizer steps done.
  package var steps: Int
  /// Images of the training part.
  package var trainingImages: Int
  /// Seconds of the training.
  package var seconds: Double
  /// The weights that were measured.
  package var weights: String
  /// The scores on the part that was measured.
  package var scores: Scores
  /// Between which values a score lies, if that was asked for.
  package var intervals: ScoreIntervals?
  /// Which of several usual divisions of the data was measured.
  package var division: String?
  /// The settings that decide the result.
  var settings: DecidingSettings
}

/// Those settings of a run that decide its result: not where it writes, nor how many threads work.
struct DecidingSettings: Codable, Hashable, Sendable {
  private var configuration: TrainingConfiguration

  init(_ configuration: TrainingConfiguration) {
    var configuration = configuration
    let usual = TrainingConfiguration()
    configuration.output = usual.output
    configuration.threads = usual.threads
    configuration.device = usual.device
    configuration.timeBudgetMinutes = nil
    configuration.checkpoints.everySteps = usual.checkpoints.everySteps
    configuration.data.workers = usual.data.workers
    configuration.data.prefetch = usual.data.prefetch
    configuration.data.cache = usual.data.cache
    configuration.data.cacheMebibytes = usual.data.cacheMebibytes
    self.configuration = configuration
  }

  init(from decoder: any Decoder) throws { configuration = try .init(from: decoder) }
  func encode(to encoder: any Encoder) throws { try configuration.encode(to: encoder) }
}
