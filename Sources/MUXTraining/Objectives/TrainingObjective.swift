// SPDX-License-Identifier: Apache-2.0
import MUXCore
public import MUXImages
package import MUXNetworks
public import MUXTasks
public import MUXTensor
public import MUXVision

/// A task that can be trained. Each has a file of its own beside this one.
public protocol TrainableTask: VisionTask {
  /// What is made small for a network with this head.
  ///
  /// - Throws: An error that says in one line why the settings or the data do not suit the task.
  func objective(_ settings: ObjectiveSettings, head: Head) throws -> any TrainingObjective

  /// The bias of the last layer with which a network that knows nothing of an image answers as often
  /// as the training images have it; nil where the task has no such thing.
  func priorBias(_ settings: ObjectiveSettings, head: Head) throws -> [Double]?

  /// How far the outputs of a student are from those of a teacher, the mean over the images, with a
  /// graph for the gradients; nil where the task cannot learn from a teacher.
  ///
  /// - Parameters:
  ///   - outputs: The student's outputs.
  ///   - teacher: The teacher's, [N, classes].
  ///   - temperature: By which both are divided; the difference is multiplied by its square.
  func difference(of outputs: [Tensor], from teacher: Tensor, temperature: Double) throws -> Tensor?
}

extension TrainableTask {
  /// Not possible.
  public func difference(
    of outputs: [Tensor], from teacher: Tensor, temperature: Double
  ) throws -> Tensor? { nil }

  /// None.
  public func priorBias(_ settings: ObjectiveSettings, head: Head) throws -> [Double]? { nil }
}

/// What an objective depends on beside the task.
public struct ObjectiveSettings: Sendable {
  /// What softens the targets of a batch.
  public var mixing: MixingConfiguration
  /// The seed of the run.
  public var seed: UInt64
  /// The training images, for objectives that weigh classes by how often they occur.
  public var training: any ImageDataSet
  /// How the loss weighs classes and images.
  public var weighing: ObjectiveConfiguration
  /// How often an epoch shows each training image; nil where each comes once.
  public var shares: SampleShares?

  /// Settings.
  public init(
    mixing: MixingConfiguration, seed: UInt64, training: any ImageDataSet,
    weighing: ObjectiveConfiguration = ObjectiveConfiguration(), shares: SampleShares? = nil
  ) {
    self.mixing = mixing
    self.seed = seed
    self.training = training
    self.weighing = weighing
    self.shares = shares
  }

  /// The images of an epoch in which each class occurs, on average.
  public var classCounts: [Double] {
    guard let shares else { return training.classCounts.map { Double($0) } }
    var counts = [Double](repeating: 0, count: training.classNames.count)
    for (index, share) in shares.expected.enumerated() {
      for label in training.target(at: index).classes { counts[label] += share }
    }
    return counts
  }

  /// The weight of each class in the loss; nil where all weigh the same.
  func classWeights() throws(ConfigurationError) -> [Double]? {
    try weighing.classWeights.resolved(
      training.classNames, counts: classCounts, images: training.count)
  }
}

/// What training makes small.
public protocol TrainingObjective {
  /// The loss of answers that say nothing about an image; nil where that is not known. A training that
  /// does not come below it goes nowhere.
  var chanceLoss: Double? { get }

  /// The loss of a batch, the mean over its images, with a graph for the gradients.
  ///
  /// Whatever is drawn follows from the seed and the place of the batch in the run.
  ///
  /// - Parameters:
  ///   - batch: The images and their targets; the objective may mix them first.
  ///   - outputs: Runs the network on images; all of its outputs.
  func losses(of batch: Batch, outputs: (PixelBatch) throws -> [Tensor]) throws -> Losses
}

extension TrainingObjective {
  /// Not known.
  public var chanceLoss: Double? { nil }
}

/// The loss of a batch, and what it is made of.
public struct Losses {
  /// What is made small.
  public var total: Tensor
  /// Its parts by name, for the record; none where there is but one.
  public var parts: [(name: String, value: Tensor)]

  /// A loss.
  public init(_ total: Tensor, parts: [(name: String, value: Tensor)] = []) {
    self.total = total
    self.parts = parts
  }
}

extension VisionTask {
  /// The head and the objective of a network.
  ///
  /// - Throws: `TaskError` where the task has no objective, or does not fit the network.
  package func trainable(
    _ settings: ObjectiveSettings, network: Network, classNames: [String]
  ) throws -> any TrainingObjective {
    func make<Task: TrainableTask>(_ task: Task) throws -> any TrainingObjective {
      try task.objective(settings, head: task.head(for: network, classNames: classNames))
    }
    return try make(try asTrainable)
  }

  /// The bias with which the head of a network starts so that it knows how often the classes occur.
  ///
  /// - Throws: `ConfigurationError` where task or network have no such bias.
  package func priorBias(
    _ settings: ObjectiveSettings, network: Network, classNames: [String]
  ) throws -> [Float] {
    func make<Task: TrainableTask>(_ task: Task) throws -> [Double]? {
      try task.priorBias(settings, head: task.head(for: network, classNames: classNames))
    }
    let bias = try make(try asTrainable)
    guard let bias, let (_, linear) = network.classifier, linear.hasBias,
      linear.outputFeatures == bias.count
    else {
      throw ConfigurationError(
        setting: "model.headBias", value: ModelConfiguration.HeadBias.prior.rawValue,
        expected: bias == nil
          ? "the task \(Self.name) has no bias that says how often classes occur"
          : "the last layer of \(network.name) has no bias with one value for each class")
    }
    return bias.map { Float($0) }
  }

  /// An objective that learns from a teacher beside the truth.
  ///
  /// - Throws: `ConfigurationError` where the task cannot.
  func distilled(
    _ base: any TrainingObjective, teacher: any TeacherAnswers, settings: DistillationConfiguration,
    features: FeatureMatching? = nil
  ) throws -> any TrainingObjective {
    let task = try asTrainable
    return DistilledObjective(
      base: base, teacher: teacher, settings: settings, features: features
    ) {
      guard let difference = try task.difference(of: $0, from: $1, temperature: $2) else {
        throw ConfigurationError(
          setting: "distillation.teacher", value: settings.teacher ?? "",
          expected: "the task \(Self.name) cannot learn from a teacher")
      }
      return difference
    }
  }

  private var asTrainable: any TrainableTask {
    get throws(TaskError) {
      guard let task = self as? any TrainableTask else {
        throw .notTrainable(task: Self.name)
      }
      return task
    }
  }
}
