// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXEvaluation
public import MUXTasks

/// Every setting of a training run.
///
/// In a file each key is optional; what is absent keeps the default written here. The resolved
/// value is saved as `configuration.yaml` in the run's folder and read again on resume.
public struct TrainingConfiguration: Codable, Hashable, Sendable {
  /// The arithmetic of the forward and backward pass; weights and their updates stay 32 bits wide.
  public typealias Precision = ArithmeticPrecision

  /// Seed of the initial weights, the order of the images, augmentation and dropout.
  public var seed: UInt64 = 0
  /// Passes over the training data.
  public var epochs: Int = 100
  /// Optimizer steps that the run has at least: where `epochs` bring fewer, as on a few hundred images,
  /// there are more of them. 0…1000000; 0, the default, leaves the epochs as they are.
  public var minimumSteps: Int = 0
  /// Images in one batch, of all processes together; 0 fits it to the training images: the greatest power
  /// of two, 8 to 64, that makes at least 16 batches of them.
  public var batchSize: Int = 128
  /// Batches whose gradients are averaged before the optimizer steps.
  public var accumulation: Int = 1
  /// The device: `cpu`, `cuda`, `cuda:1`, `mps`.
  public var device: String = "cpu"
  /// Threads of the tensor library; 0 takes one per core.
  public var threads: Int = 0
  /// The arithmetic of the forward and backward pass.
  public var precision: Precision = .float32
  /// Stops cleanly after so many minutes, with everything saved; `nil` means no limit. The
  /// schedule does not shrink with it.
  public var timeBudgetMinutes: Double?
  /// Stops cleanly after so many optimizer steps, with everything saved and one evaluation done: a quick
  /// trial of the whole way. The schedule does not shrink with it; 0, the default, means no limit.
  public var maxSteps: Int = 0
  /// Stops when the ranking metric has not improved for this many epochs; 0 means never.
  public var patience: Int = 0
  /// Epochs between two evaluations (the final one is always evaluated).
  public var evaluateEveryEpochs: Int = 1
  /// What the network is to learn.
  public var task = NamedTask()
  /// The network.
  public var model = ModelConfiguration()
  /// The images.
  public var data = DataConfiguration()
  /// Cropping and augmentation of training images; evaluations only crop and resize.
  public var augmentation = AugmentationConfiguration()
  /// Softened targets.
  public var mixing = MixingConfiguration()
  /// How the loss weighs classes and images.
  public var objective = ObjectiveConfiguration()
  /// A teacher, if there is one.
  public var distillation = DistillationConfiguration()
  /// Weights that the networks of a search space share, in place of one network.
  public var supernet = SupernetConfiguration()
  /// The update rule.
  public var optimizer = OptimizerConfiguration()
  /// The learning rate over time.
  public var schedule = LearningRateSchedule()
  /// The average of the weights.
  public var average = AveragingConfiguration()
  /// How several processes train together.
  public var distributed = DistributedConfiguration()
  /// What is kept.
  public var checkpoints = CheckpointConfiguration()
  /// Where it is written.
  public var output = OutputConfiguration()

  /// The defaults.
  public init() {}

  /// Reads the settings that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    try self.init(settingsFrom: decoder)
  }

  /// The metric by which epochs and checkpoints are ranked.
  ///
  /// - Throws: `ConfigurationError` where the task has none of that name.
  public var rankingMetric: Metric {
    get throws(ConfigurationError) {
      do { return try task.task.metric(named: checkpoints.metric) } catch {
        throw ConfigurationError(
          setting: "checkpoints.metric", value: checkpoints.metric ?? "none",
          expected: "the task \(task.name) has "
            + task.task.metrics.map(\.name).joined(separator: ", "))
      }
    }
  }

  /// The learning rate before the schedule, for the images that one optimizer step sees.
  public var baseRate: BaseRate {
    BaseRate(
      rate: optimizer.learningRate, scaling: optimizer.scaling,
      batchSize: batchSize * accumulation, referenceBatchSize: optimizer.referenceBatchSize)
  }
}

extension TrainingConfiguration {
  /// The batch that is fitted to so many training images.
  public static func automaticBatch(images: Int) -> Int {
    var batch = 8
    while batch < 64, images / (2 * batch) >= 16 { batch *= 2 }
    return max(min(batch, images), 1)
  }

  /// Fits batch and epochs to so many training images.
  ///
  /// - Returns: What was decided, a line each.
  mutating func fit(images: Int) -> [String] {
    guard images > 0 else { return [] }
    var decisions: [String] = []
    if batchSize == 0 {
      batchSize = Self.automaticBatch(images: images)
      decisions.append("batches of \(batchSize), fitted to \(images) training images (batchSize)")
    } else if batchSize > images {
      decisions.append(
        "the batch of \(batchSize) images is larger than the training data: batches"
          + " of \(images) instead (batchSize)")
      batchSize = images
    }
    let steps = max((images / batchSize + accumulation - 1) / accumulation, 1)
    if epochs * steps < minimumSteps {
      epochs = (minimumSteps + steps - 1) / steps
      decisions.append(
        "\(epochs) epochs of \(steps) step\(steps == 1 ? "" : "s"), for at least \(minimumSteps) steps"
          + " (minimumSteps)")
    }
    return decisions
  }
}
