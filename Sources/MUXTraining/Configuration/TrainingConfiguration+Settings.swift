// SPDX-License-Identifier: Apache-2.0
public import MUXCore
import MUXEvaluation
import MUXTasks

// The bounds lie far beyond what a run can use, and so that no product of settings overflows.
extension TrainingConfiguration: SettingGroup {
  package static var settings: [Setting<Self>] {
    [
      Setting("seed", \.seed, "Seed of weights, order of the images, augmentation and dropout"),
      Setting(
        "epochs", \.epochs, "Passes over the training data", unit: "epochs",
        in: .within(1...1_000_000)),
      Setting(
        "minimumSteps", \.minimumSteps,
        "The least number of optimizer steps; epochs are added if they bring fewer",
        unit: "steps", in: .within(0...1_000_000)),
      Setting(
        "batchSize", \.batchSize,
        "Batch size; 0 fits it to the training images: at least 16 batches of 8 to 64",
        unit: "images", in: .within(0...1_000_000)),
      Setting(
        "accumulation", \.accumulation,
        "Batches whose gradients are averaged before the optimizer steps", unit: "batches",
        in: .within(1...1_000_000)),
      Setting(
        "device", \.device, "The device: cpu, cuda, cuda:1 or mps", in: .named("cpu")),
      // Every one is a thread of the system; thousands would take the machine down.
      Setting(
        "threads", \.threads, "Threads of the tensor library; 0 takes one per core",
        unit: "threads",
        in: .within(0...1024)),
      Setting(
        "precision", \.precision,
        "The arithmetic of the forward and backward pass; weights and their updates stay float32"),
      Setting(
        "timeBudgetMinutes", \.timeBudgetMinutes,
        "Stops cleanly, with everything saved, after this time; the schedule is not shortened",
        absent: "no limit", unit: "minutes", in: .above(0, upTo: 1e7)),
      Setting(
        "maxSteps", \.maxSteps,
        "Stops cleanly after this many optimizer steps, for an end-to-end trial; 0 means no limit",
        unit: "steps", in: .within(0...1_000_000_000)),
      Setting(
        "patience", \.patience,
        "Stops when the ranking metric has not improved for this many epochs; 0 means never",
        unit: "epochs", in: .within(0...1_000_000)),
      Setting(
        "evaluateEveryEpochs", \.evaluateEveryEpochs,
        "Epochs between two evaluations; the final one is always evaluated", unit: "epochs",
        in: .within(1...1_000_000)),
      Setting("task", \.task) { $0.settingDescriptions(path: $1) },
      Setting("model", \.model, group: "The network, and the weights to start from"),
      Setting("data", \.data, group: "The images and how they are read"),
      Setting(
        "augmentation", \.augmentation, group: "How images are cropped, resized and augmented"),
      Setting("mixing", \.mixing, group: "Softened targets: label smoothing, mixup, CutMix"),
      Setting("objective", \.objective, group: "How the loss weighs classes and images"),
      Setting(
        "distillation", \.distillation,
        group: "Distillation: a teacher whose predictions are learned beside the labels"),
      Setting(
        "supernet", \.supernet,
        group: "Weights that the networks of a search space share, in place of one network"),
      Setting(
        "optimizer", \.optimizer, group: "The update rule; settings of other kinds are ignored"),
      Setting(
        "schedule", \.schedule,
        group: "The learning rate over time; settings of other shapes are ignored"),
      Setting("average", \.average, group: "The average of the weights"),
      Setting(
        "distributed", \.distributed,
        group: "How several processes train together; ignored for a single process"),
      Setting("checkpoints", \.checkpoints, group: "Which checkpoints are kept, and when"),
      Setting("output", \.output, group: "Where a run writes, and how much it logs"),
    ]
  }

  /// Checks every setting, so that a run does not fail after an hour for a typing error.
  public func validate() throws(ConfigurationError) { try validate(path: "") }

  package func validate(path: String) throws(ConfigurationError) {
    try checkSettings(path: path)
    _ = try rankingMetric
    try supernet.check(self)
    try ConfigurationError.require(
      schedule.warmUp.epochs <= Double(epochs), "schedule.warmUp.epochs", schedule.warmUp.epochs,
      "must not exceed the run's \(epochs) epochs")
    try ConfigurationError.require(
      !average.isEnabled || average.startEpoch < epochs, "average.startEpoch", average.startEpoch,
      "must be less than the run's \(epochs) epochs, or nothing is averaged")
    try ConfigurationError.require(
      (model.freezeEpochs ?? 0) < epochs, "model.freezeEpochs", model.freezeEpochs ?? 0,
      "must be less than the run's \(epochs) epochs; leave it out to freeze for the whole run")
  }
}
