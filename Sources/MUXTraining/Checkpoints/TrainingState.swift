// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXTasks

/// Everything but tensors that a run needs to go on exactly where it stopped.
///
/// No random generator is part of it: every stream derives from the run's seed, a purpose, and
/// the step, epoch or image (`RandomStream` of MUXCore), so a position says it all.
public struct TrainingState: Codable, Hashable, Sendable {
  /// The newest layout of this value that is known. Settings that came after version 1 have defaults, so
  /// that older files read; a file of a newer version is refused.
  public static let currentVersion = 1

  /// The layout of this value.
  public var version = currentVersion
  /// Optimizer steps done.
  public var step = 0
  /// Epochs completed.
  public var epoch = 0
  /// Batches of the epoch under way that are done; a multiple of the accumulation.
  public var batch = 0
  /// Updates of the averaged weights done.
  public var averagedUpdates = 0
  /// Epochs whose weights are in the plain mean of the weights, or were too early for it.
  public var averagedEpochs = 0
  /// The scale of the loss, in half precision.
  public var lossScaler: LossScaler?
  /// Sum of the training losses over the images of the epoch under way.
  public var lossSum = 0.0
  /// Images of the epoch under way that are done.
  public var images = 0
  /// Seconds of training in the epoch under way.
  public var epochSeconds = 0.0
  /// Seconds of those spent waiting for data.
  public var waitSeconds = 0.0
  /// Seconds since the start of the run, without the pauses between stop and resume.
  public var seconds = 0.0
  /// The epochs so far.
  public var history: [EpochReport] = []
  /// The task with those of its settings chosen that depend on results; nil where none does.
  public var tunedTask: NamedTask?
  /// The checkpoints that are kept for their metric, best first.
  public var best: [RankedCheckpoint] = []
  /// A hash of the weights of the teacher, if there is one.
  public var teacher: String?
  /// What the run reads; nil in states of programs that did not record it.
  public var data: DataRecord?
  /// The names of checkpoints that were found damaged when the run went on: they stay where they are.
  public var damaged: [String] = []

  /// The start of a run.
  public init() {}

  /// Reads what is there; what is absent keeps its default, but for the version and the step, without
  /// which a file is none of a run.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    version = try container.decode(Int.self, forKey: .version)
    step = try container.decode(Int.self, forKey: .step)
    try container.update(&epoch, .epoch)
    try container.update(&batch, .batch)
    try container.update(&averagedUpdates, .averagedUpdates)
    try container.update(&averagedEpochs, .averagedEpochs)
    try container.update(&lossScaler, .lossScaler)
    try container.update(&lossSum, .lossSum)
    try container.update(&images, .images)
    try container.update(&epochSeconds, .epochSeconds)
    try container.update(&waitSeconds, .waitSeconds)
    try container.update(&seconds, .seconds)
    try container.update(&history, .history)
    try container.update(&tunedTask, .tunedTask)
    try container.update(&best, .best)
    try container.update(&teacher, .teacher)
    try container.update(&data, .data)
    try container.update(&damaged, .damaged)
  }

  /// Why this cannot be the state of a checkpoint of that name; nil where it can.
  func reasonToDoubt(name: String) -> String? {
    let counts: [(String, Int)] = [
      ("step", step), ("epoch", epoch), ("batch", batch), ("images", images),
      ("averagedUpdates", averagedUpdates),
    ]
    // Beyond 2^53 nothing counts.
    if let (count, value) = counts.first(where: { !(0...1 << 53).contains($0.1) }) {
      return "\(CheckpointStore.stateName) says \(count) \(value)"
    }
    if let named = CheckpointStore.position(of: name)?.step, named != step {
      return "\(CheckpointStore.stateName) is that of step \(step)"
    }
    if let report = history.first(where: { $0.epoch < 1 || $0.epoch > epoch }) {
      return "\(CheckpointStore.stateName) has a report of epoch \(report.epoch) of \(epoch)"
    }
    return nil
  }

  /// The epoch (from 1) with the best metric so far, and its value.
  public func bestEpoch(by metric: Metric) -> (epoch: Int, value: Double)? {
    var best: (epoch: Int, value: Double)?
    for report in history {
      guard let value = report.validation?.rank(by: metric) else { continue }
      if best.map({ metric.isBetter(value, than: $0.value) }) ?? true {
        best = (report.epoch, value)
      }
    }
    return best
  }
}

/// A checkpoint that is kept because of its metric.
public struct RankedCheckpoint: Codable, Hashable, Sendable {
  /// The name of its folder.
  public var name: String
  /// Epochs completed then.
  public var epoch: Int
  /// The value of the metric.
  public var value: Double

  /// Makes an entry.
  public init(name: String, epoch: Int, value: Double) {
    self.name = name
    self.epoch = epoch
    self.value = value
  }

  /// Puts an entry into a list that is kept in order, best first, and cut to `limit`; among equals
  /// the earlier one stands first.
  public static func insert(
    _ entry: RankedCheckpoint, into list: inout [RankedCheckpoint], limit: Int,
    metric: Metric
  ) {
    list.removeAll { $0.name == entry.name }
    let place = list.firstIndex { metric.isBetter(entry.value, than: $0.value) } ?? list.endIndex
    list.insert(entry, at: place)
    if list.count > limit { list.removeLast(list.count - limit) }
  }
}
