// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
import MUXTensor
import MUXVision

extension Trainer {
  /// Trains until the last epoch is done or something asks to stop; the state is saved either way.
  ///
  /// - Returns: What `result.json` says.
  /// - Throws: ``TrainingError`` where the loss is no number; errors of the data that name the
  ///   file; `RunFolderError` where the folder cannot be written, or another process writes it. A run
  ///   that could not take its first step leaves no folder.
  @discardableResult
  public func run() throws -> TrainingResult {
    let lock = try group.isFirst ? startLock ?? RunLock(folder.path) : nil
    startLock = nil
    defer { withExtendedLifetime(lock) {} }
    // The next run of this process, such as a search's next trial, has a network of other sizes.
    defer { TorchRuntime.releaseFusedMemory() }
    do { return try train() } catch {
      // Left behind, it would take the name from the next try.
      if isNew, group.isFirst, state.step == 0, store.isEmpty { folder.discard() }
      throw error
    }
  }

  private func train() throws -> TrainingResult {
    sessionStart = .now
    try announceStart()
    let stream = try data.training.epochs(
      state.epoch..<configuration.epochs, startingAt: state.batch)
    defer { stream.cancel() }
    let (ending, signal) = try trainEpochs(stream)
    let isSaved =
      switch ending {
      case .completed: true
      case .patience, .maxSteps: state.batch == 0 && isEpochSaved
      case .timeBudget, .interrupted: false
      }
    if !isSaved { try saveCheckpoint() }
    let result = makeResult(ending, signal: signal)
    if ending != .interrupted, group.isFirst { try writeResult(result) }
    group.activity = "at the end"
    // Who has ended well may rely on what the first one has written.
    try group.barrier()
    try announce(.finished(result))
    return result
  }

  /// Why no more steps are made, and the signal that asked for it.
  private typealias Stop = (ending: TrainingResult.Ending, signal: Int32?)

  /// Trains until the last epoch is done or something asks to stop.
  private func trainEpochs(_ stream: BatchStream) throws -> Stop {
    do {
      while state.epoch < configuration.epochs {
        if isStepLimitReached {
          if state.batch > 0 { try evaluateInPassing() }
          return (.maxSteps, nil)
        }
        if let stop = try trainEpoch(stream) { return stop }
        // The limit of steps has broken it off.
        guard state.batch == data.training.batchesPerEpoch else { continue }
        try finishEpoch()
        if isPatienceSpent { return (.patience, nil) }
      }
      return (.completed, nil)
    } catch let interruption as EvaluationInterrupted {
      // The epoch's evaluation is still due when the run goes on.
      return (.interrupted, interruption.signal)
    }
  }

  /// The steps that are left of an epoch.
  ///
  /// - Returns: Why it was broken off; nil where it is done, or the limit of steps is reached.
  private func trainEpoch(_ stream: BatchStream) throws -> Stop? {
    while state.batch < data.training.batchesPerEpoch {
      try step(stream)
      if let signal = requestedStop { return (.interrupted, signal) }
      if isBudgetSpent { return (.timeBudget, nil) }
      guard state.batch < data.training.batchesPerEpoch, !isStepLimitReached else { break }
      let every = configuration.checkpoints.everySteps
      if every > 0, state.step % every == 0 { try saveCheckpoint() }
    }
    return nil
  }

  private var isBudgetSpent: Bool { hasPartners ? agreedBudget : isOwnBudgetSpent }

  var isOwnBudgetSpent: Bool {
    guard let minutes = configuration.timeBudgetMinutes else { return false }
    return Seconds.since(sessionStart) >= 60 * minutes
  }

  private var isStepLimitReached: Bool {
    configuration.maxSteps > 0 && state.step >= configuration.maxSteps
  }

  /// An evaluation in the middle of an epoch, which is told and not recorded: the run goes on as if it
  /// had not been.
  private func evaluateInPassing() throws {
    try takeSharedWeights(measuring: true)
    try measureAveragedStatistics()
    let scores = try evaluate(scoredModel).scores
    let metrics = configuration.task.task.metrics(classes: data.classNames.count)
    let values = metrics.map { "\($0.label) \($0.text(scores[$0]))" }
    try announce(
      .notice("validation after \(state.step) steps: \(values.joined(separator: ", "))"))
  }

  private var isPatienceSpent: Bool {
    guard configuration.patience > 0, state.epoch < configuration.epochs,
      let best = state.bestEpoch(by: metric)
    else { return false }
    return state.epoch - best.epoch >= configuration.patience
  }

  /// Whether the epoch that just ended was due to be saved.
  private var isEpochSaved: Bool {
    state.history.last?.isBest == true
      || state.epoch % configuration.checkpoints.everyEpochs == 0
  }

  /// Seconds of the run so far, without the pauses between its parts.
  var seconds: Double { secondsBefore + Seconds.since(sessionStart) }

  private func finishEpoch() throws {
    let epoch = state.epoch + 1
    let isLast = epoch == configuration.epochs
    var report = EpochReport(
      epoch: epoch, step: state.step,
      learningRate: configuration.schedule.rate(
        step: max(state.step - 1, 0), base: baseRate, clock: clock),
      trainingLoss: state.lossSum / Double(max(state.images, 1)), validation: nil,
      rawValidation: nil,
      imagesPerSecond: Double(state.images) / max(state.epochSeconds, 1e-9),
      dataWait: min(state.waitSeconds / max(state.epochSeconds, 1e-9), 1), seconds: 0,
      isBest: false)
    try averageEpoch(epoch)
    if isLast || epoch % configuration.evaluateEveryEpochs == 0 {
      try takeSharedWeights(measuring: true)
      try measureAveragedStatistics()
      let evaluation = try evaluate(scoredModel)
      let scores = evaluation.scores
      if averagedModel != nil, configuration.average.evaluatesBoth {
        report.rawValidation = try evaluate(model).scores
      }
      let best = state.bestEpoch(by: metric)?.value
      report.isBest = best.map { metric.isBetter(scores.rank(by: metric), than: $0) } ?? true
      report.validation = scores
      state.tunedTask =
        evaluation.tunedTask == configuration.task ? nil : evaluation.tunedTask
    }
    report.seconds = seconds
    state.history.append(report)
    state.epoch = epoch
    state.batch = 0
    state.lossSum = 0
    state.images = 0
    state.epochSeconds = 0
    state.waitSeconds = 0
    if report.isBest || isLast || epoch % configuration.checkpoints.everyEpochs == 0 {
      try saveCheckpoint(ranked: report.validation?.rank(by: metric))
    }
    if group.isFirst { try writing { try writeSummary() } }
    try announce(.epoch(report))
    try warnWhereNothingIsLearned(report)
  }

  /// Says once that a run goes nowhere, when a quarter of it (but no more than 200 steps) is done.
  private func warnWhereNothingIsLearned(_ report: EpochReport) throws {
    guard let chance = objective.chanceLoss, !hasWarned, report.trainingLoss >= 0.99 * chance,
      state.step >= min(max(clock.totalSteps / 4, 20), 200)
    else { return }
    hasWarned = true
    try announce(
      .warning(
        "after \(state.step) steps the training loss \(NumberText.fixed(report.trainingLoss, decimals: 3))"
          + " is not below \(NumberText.fixed(chance, decimals: 3)), that of guessing: try another"
          + " optimizer.learningRate, start from trained weights (model.initialWeights), or look at the"
          + " labels"))
  }

  private func evaluate(_ model: NetworkModel) throws -> EvaluationResult {
    group.activity = "in the evaluation after step \(state.step)"
    try shareStatistics(of: model)
    var evaluator = Evaluator()
    if hasPartners { evaluator.partners = RunPartners(group: group, stop: stop) }
    evaluator.progress = { [self] images, total in
      if !hasPartners, let signal = stop.requested { throw EvaluationInterrupted(signal: signal) }
      try announce(.evaluating(images: images, total: total))
    }
    do {
      return try evaluator.evaluate(
        TorchModel(model, precision: configuration.precision), task: configuration.task.task,
        on: data.validation)
    } catch EvaluationError.notFinite(_, let image) {
      throw TrainingError.validationNotFinite(image: image, epoch: state.epoch + 1)
    }
  }

  private func makeResult(_ ending: TrainingResult.Ending, signal: Int32?) -> TrainingResult {
    let best = state.bestEpoch(by: metric)
    let hasBest = FileManager.default.fileExists(atPath: folder.bestWeights)
    return TrainingResult(
      folder: folder.path, ending: ending, epochs: state.epoch, steps: state.step,
      last: state.history.last, best: state.history.first { $0.epoch == best?.epoch },
      division: data.validation.dataSet.division,
      weights: hasBest ? folder.bestWeights : folder.lastWeights, seconds: seconds,
      signal: signal)
  }

  private func writeResult(_ result: TrainingResult) throws {
    try writing {
      try AtomicFile.write([UInt8](Manifest.encoder.encode(result)), to: folder.result)
    }
  }

  func writeSummary() throws {
    try AtomicFile.write(
      SummaryTable(configuration.task.task).csv(state.history), to: folder.summary)
  }
}

/// A signal came while a run was evaluating.
struct EvaluationInterrupted: Error {
  var signal: Int32
}
