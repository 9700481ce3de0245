// SPDX-License-Identifier: Apache-2.0
import MUXCore
public import MUXImages
public import MUXTasks
public import MUXVision

/// Runs a network over a set of images and measures how well it does at a task.
public struct Evaluator {
  /// Called after each batch with the images done and their total.
  public var progress: (Int, Int) throws -> Void = { _, _ in }

  /// How intervals of the scores are drawn, for tasks that have them; nil leaves them out.
  public var resampling: Resampling?
  /// How many of the images that are most wrong are told one by one; none unless asked for.
  public var keptVerdicts = 0

  /// Other processes that evaluate the same network on the same images, each its part of the batches; all
  /// get the same scores. Nil for none.
  package var partners: (any EvaluationPartners)?

  /// An evaluator without progress.
  public init() {}

  /// Evaluates a network on all batches of a loader (one that does not shuffle or drop).
  ///
  /// - Parameters:
  ///   - model: What computes.
  ///   - task: What the network is for.
  ///   - loader: The images; their classes are those of the network.
  /// - Throws: `TaskError` where outputs, classes or targets are not those of the task,
  ///   ``EvaluationError`` where an output is not a number.
  public func evaluate(
    _ model: some VisionModel, task: any VisionTask, on loader: DataLoader
  ) throws -> EvaluationResult {
    try measure(model, task, loader)
  }

  /// Evaluates a network on some images.
  public func evaluate(
    _ model: some VisionModel, task: any VisionTask, pipeline: ImagePipeline,
    on dataSet: any ImageDataSet, batchSize: Int = 128, workers: Int = 2
  ) throws -> EvaluationResult {
    let loader = try DataLoader(
      dataSet, pipeline: pipeline,
      settings: LoaderSettings(
        batchSize: max(1, min(batchSize, dataSet.count)), workers: workers,
        layout: model.layout))
    return try evaluate(model, task: task, on: loader)
  }

  private func measure<Task: VisionTask>(
    _ model: some VisionModel, _ task: Task, _ loader: DataLoader
  ) throws -> EvaluationResult {
    let head = try task.head(for: model.network, classNames: loader.dataSet.classNames)
      .forImages(preparedBy: loader.wholePipeline)
    var meter = head.makeMeter()
    let start = ContinuousClock.now
    let total = loader.samplesPerEpoch
    var groups = GroupNumbers()
    var worst: [JudgedImage] = []
    func take(_ answers: BatchAnswers) throws {
      try head.measure(
        answers.outputs, answers.targets, original: answers.originalSizes, into: &meter)
      if resampling != nil {
        for index in answers.samples { groups.add(loader.dataSet.group(at: index)) }
      }
      if keptVerdicts > 0 {
        let verdicts = try head.verdicts(
          answers.outputs, answers.targets, original: answers.originalSizes)
        keep(verdicts, of: answers.samples, in: loader.dataSet, among: &worst)
      }
      try progress(meter.count, total)
    }
    let own = try partners.map { try loader.sharing(.init(.batches, rank: $0.rank, of: $0.count)) }
    let stream = try (own ?? loader).epoch(0)
    defer { stream.cancel() }
    func next() throws -> BatchAnswers? {
      guard let batch = try stream.next() else { return nil }
      let outputs = try model.finiteOutputs(batch.pixels) {
        loader.dataSet.name(at: batch.place.samples[$0])
      }
      return BatchAnswers(outputs, batch)
    }
    if let partners {
      // As many rounds as the process with the most batches has.
      for _ in stride(from: 0, to: loader.batchesPerEpoch, by: partners.count) {
        for answers in try partners.gathered(try next()) { try take(answers) }
      }
    } else {
      while let answers = try next() { try take(answers) }
    }
    let intervals = resampling.flatMap { meter.intervals(groups: groups.numbers, $0) }
    let seconds = Seconds.since(start)
    return EvaluationResult(
      scores: meter.scores(), details: meter.details(), tables: meter.tables(),
      charts: meter.charts(), worst: worst, confusion: meter.confusion(), intervals: intervals,
      division: loader.dataSet.division,
      tunedTask: NamedTask(task.tuned(by: meter)),
      imagesPerSecond: Double(meter.count) / max(seconds, 1e-9), seconds: seconds)
  }

  /// Adds what is wrong of a batch, and lets go of all but the worst.
  private func keep(
    _ verdicts: [ImageVerdict], of samples: [Int], in dataSet: any ImageDataSet,
    among worst: inout [JudgedImage]
  ) {
    for (verdict, index) in zip(verdicts, samples) where verdict.isWrong {
      worst.append(JudgedImage(index: index, name: dataSet.name(at: index), verdict: verdict))
    }
    worst.sort { ($1.verdict.loss, $0.index) < ($0.verdict.loss, $1.index) }
    if worst.count > keptVerdicts { worst.removeLast(worst.count - keptVerdicts) }
  }
}

/// Numbers for groups of samples, as they come.
private struct GroupNumbers {
  /// The number of each sample's group.
  private(set) var numbers: [Int] = []
  private var known: [String: Int] = [:]
  private var count = 0

  /// Takes note of a sample; one without a group is a group of its own.
  mutating func add(_ group: String?) {
    if let group, let number = known[group] {
      numbers.append(number)
      return
    }
    if let group { known[group] = count }
    numbers.append(count)
    count += 1
  }
}
