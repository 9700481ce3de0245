// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXTasks

/// Something that happened in a run, told to its observers.
public enum TrainingEvent: Sendable {
  /// The run begins, or goes on.
  case started(RunOverview)
  /// An optimizer step is done.
  case step(StepReport)
  /// The evaluation after an epoch has done `images` of `total`.
  case evaluating(images: Int, total: Int)
  /// An epoch is done, evaluation included.
  case epoch(EpochReport)
  /// A checkpoint was written to this folder.
  case saved(path: String)
  /// Something that the user should know, in one line.
  case notice(String)
  /// Something that the user should know even where nothing else is shown: what was left out of the data
  /// or is odd about it, damage, a run that learns nothing.
  case warning(String)
  /// The run ended.
  case finished(TrainingResult)
}

/// What a run is about to do.
public struct RunOverview: Codable, Hashable, Sendable {
  /// The run's folder.
  public var folder: String
  /// The network's name.
  public var network: String
  /// What the network is for.
  public var task: NamedTask
  /// The metric by which epochs are ranked.
  public var metric: Metric
  /// Learnable scalars of the network.
  public var parameters: Int
  /// Multiply-adds for one image (convolutions and linear layers).
  public var multiplyAdds: Int
  /// Images of the training part, whatever a sampler draws from them.
  public var trainingImages: Int
  /// Images of the validation part; an evaluation sees each once.
  public var validationImages: Int
  /// The number of classes.
  public var classes: Int
  /// Optimizer steps in an epoch.
  public var stepsPerEpoch: Int
  /// Epochs of the run.
  public var epochs: Int
  /// Optimizer steps already done (a resumed run).
  public var firstStep: Int
  /// How the learning rate came about.
  public var learningRate: String
  /// The device and its threads.
  public var device: String
}

/// A part of a loss.
public struct LossPart: Codable, Hashable, Sendable {
  /// The name that the objective gives it.
  public var name: String
  /// Its mean over the images of the step.
  public var value: Double
}

/// One optimizer step.
public struct StepReport: Codable, Hashable, Sendable {
  /// The epoch under way, counted from 1.
  public var epoch: Int
  /// Steps of this epoch that are done.
  public var stepInEpoch: Int
  /// Steps of the run that are done.
  public var step: Int
  /// The loss of this step.
  public var loss: Double
  /// What the loss is made of; empty where it has no parts.
  public var lossParts: [LossPart]
  /// The mean loss of the epoch so far.
  public var meanLoss: Double
  /// The learning rate of this step.
  public var learningRate: Double
  /// The L2 norm of all gradients before clipping; `nil` where it was not needed.
  public var gradientNorm: Double?
  /// Images per second, over the last few steps.
  public var imagesPerSecond: Double
  /// Share of the epoch's time so far that was spent waiting for data.
  public var dataWait: Double
  /// Seconds that the rest of the training will take at this speed.
  public var secondsLeft: Double
}

/// The outcome of a run: `result.json`.
public struct TrainingResult: Codable, Hashable, Sendable {
  /// Why a run ended.
  public enum Ending: String, Codable, Sendable {
    /// All epochs are done.
    case completed
    /// The time budget is spent.
    case timeBudget
    /// The configured number of steps is done.
    case maxSteps
    /// No improvement for the configured number of epochs.
    case patience
    /// A signal asked for it.
    case interrupted
  }

  /// The run's folder.
  public var folder: String
  /// Why it ended.
  public var ending: Ending
  /// Epochs completed.
  public var epochs: Int
  /// Optimizer steps done.
  public var steps: Int
  /// The last epoch's report; nil if none ended.
  public var last: EpochReport?
  /// The best epoch's report by the ranked metric.
  public var best: EpochReport?
  /// Which of several usual divisions of the data the validation images are of.
  public var division: String?
  /// The weights to use: those of the best epoch.
  public var weights: String?
  /// Seconds of the whole run.
  public var seconds: Double
  /// The signal that stopped it, if one did.
  public var signal: Int32?

  /// The exit code that a command should end with: 0, or 128 plus the signal.
  public var exitCode: Int32 { signal.map { 128 + $0 } ?? 0 }
}

/// Told of everything that happens in a run, on the run's own thread.
public protocol TrainingObserver: AnyObject {
  /// Takes note of an event; an error ends the run.
  func handle(_ event: TrainingEvent) throws
}
