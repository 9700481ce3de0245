// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXCore
import MUXEvaluation
import MUXTensor

/// Trainings that belong together, such as the rows of a table, one after the other.
///
/// The state of the list is its folder: each training has a run's folder there, its settings beside
/// (`NAME.settings.json`), and `NAME.json` once it is trained and measured. So a list goes on wherever it
/// was broken off, a killed process included, and what is done is never done again.
package struct RunList: Sendable {
  package let folder: String
  /// The trainings in their order.
  package let runs: [ListedRun]

  /// How far a training is.
  package enum State: Sendable, Hashable {
    /// Nothing is there.
    case waiting
    /// It was begun, and goes on.
    case begun
    /// It is trained and measured.
    case done(ListedOutcome)
  }

  /// A list in a folder, which is made when something is trained.
  ///
  /// - Throws: ``RunListError`` where names are not those of folders, or come twice.
  package init(folder: String, runs: [ListedRun]) throws(RunListError) {
    var names: Set<String> = []
    for run in runs {
      guard !run.name.isEmpty, run.name != ".", run.name != "..", !run.name.contains("/"),
        names.insert(run.name).inserted
      else { throw .name(run.name) }
    }
    self.folder = folder
    self.runs = runs
  }

  /// How far a training is.
  ///
  /// - Throws: ``RunListError`` where what is there was trained with other settings, or is damaged.
  package func state(of run: ListedRun) throws -> State {
    let path = outcomePath(run)
    if let data = FileManager.default.contents(atPath: path) {
      guard let outcome = try? JSONDecoder().decode(ListedOutcome.self, from: data),
        outcome.version == 1
      else { throw RunListError.damaged(path: path) }
      guard outcome.settings == DecidingSettings(try resolved(run)) else {
        throw RunListError.otherSettings(name: run.name, folder: folder)
      }
      return .done(outcome)
    }
    guard let before = try begun(run) else { return .waiting }
    guard before == DecidingSettings(try resolved(run)) else {
      throw RunListError.otherSettings(name: run.name, folder: folder)
    }
    return .begun
  }

  /// Trains and measures what is not done yet.
  ///
  /// - Parameters:
  ///   - stop: Asked whether to stop; what is under way is saved.
  ///   - observers: Makes those of each training.
  ///   - progress: Told the images measured and their total, for each training.
  ///   - finished: Told of each training that is done now.
  ///   - failed: Told of a training that cannot go on, such as one whose loss is no number; the others are
  ///     still trained, and the next call tries it again. It throws what it is told unless that is given.
  /// - Returns: The signal that asked to stop; nil where nothing is left to try.
  package func run(
    stop: StopSignal = .process,
    observers: (ListedRun) -> [any TrainingObserver] = { _ in [] },
    progress: @escaping (ListedRun, Int, Int) -> Void = { _, _, _ in },
    finished: (ListedRun, ListedOutcome) throws -> Void = { _, _ in },
    failed: (ListedRun, TrainingError) throws -> Void = { throw $1 }
  ) throws -> Int32? {
    for run in runs {
      let state = try state(of: run)
      if case .done = state { continue }
      if let signal = stop.requested { return signal }
      let trained: (result: TrainingResult, images: Int)
      do {
        trained = try train(run, state, stop: stop, observers: observers(run))
      } catch let error as TrainingError {
        try failed(run, error)
        continue
      }
      let (result, images) = trained
      if let signal = result.signal ?? stop.requested { return signal }
      do {
        let outcome = try measure(run, result, trainingImages: images) { done, total in
          progress(run, done, total)
          if let signal = stop.requested { throw EvaluationInterrupted(signal: signal) }
        }
        try AtomicFile.write([UInt8](Manifest.encoder.encode(outcome)), to: outcomePath(run))
        try finished(run, outcome)
      } catch let interruption as EvaluationInterrupted {
        return interruption.signal
      }
    }
    return nil
  }

  // MARK: One training

  private func train(
    _ run: ListedRun, _ state: State, stop: StopSignal, observers: [any TrainingObserver]
  ) throws -> (TrainingResult, images: Int) {
    let path = runPath(run)
    let trainer: Trainer
    if state == .begun, !CheckpointStore(path: "\(path)/checkpoints").names().isEmpty {
      let configuration = run.configuration
      trainer = try Trainer(resuming: path, observers: observers) {
        $0.threads = configuration.threads
        $0.data.workers = configuration.data.workers
        $0.timeBudgetMinutes = configuration.timeBudgetMinutes
      }
    } else {
      do {
        try Folders.make(folder)
        try AtomicFile.write(
          [UInt8](Manifest.encoder.encode(DecidingSettings(try resolved(run)))),
          to: settingsPath(run))
      } catch let error as FileError {
        throw RunFolderError.notWritable(path: folder, code: error.code)
      }
      // One that was killed before its first checkpoint begins anew.
      var configuration = run.configuration
      configuration.output.folder = folder
      configuration.output.name = run.name
      configuration.output.overwrites = true
      trainer = try Trainer(configuration, observers: observers)
    }
    trainer.stop = stop
    return (try trainer.run(), trainer.data.training.dataSet.count)
  }

  private func measure(
    _ run: ListedRun, _ result: TrainingResult, trainingImages: Int,
    progress: @escaping (Int, Int) throws -> Void
  ) throws -> ListedOutcome {
    let weights = result.weights ?? result.folder
    let configuration = run.configuration
    let model = try TrainedModel(
      TrainedWeights(path: weights), device: Device(name: configuration.device))
    var evaluation = EvaluationConfiguration()
    // Divided as for the training: what the data decides (shares of the patients) belongs to it.
    evaluation.data = try resolved(run).data
    evaluation.batchSize = configuration.data.evaluationBatchSize ?? configuration.batchSize
    let measured = try WeightsEvaluation.run(
      model.weights, model: TorchModel(model.model, precision: configuration.precision),
      configuration: evaluation, part: run.part, augmentation: run.augmentation,
      resampling: run.resampling, progress: progress)
    return ListedOutcome(
      name: run.name, ending: result.ending, epochs: result.epochs, steps: result.steps,
      trainingImages: trainingImages, seconds: result.seconds, weights: weights,
      scores: measured.scores, intervals: measured.intervals, division: measured.division,
      settings: DecidingSettings(try resolved(run)))
  }

  private func runPath(_ run: ListedRun) -> String { "\(folder)/\(run.name)" }
  private func settingsPath(_ run: ListedRun) -> String { "\(folder)/\(run.name).settings.json" }
  private func outcomePath(_ run: ListedRun) -> String { "\(folder)/\(run.name).json" }

  /// The settings with what the data decides, as a run saves them.
  private func resolved(_ run: ListedRun) throws -> TrainingConfiguration {
    var configuration = run.configuration
    configuration.data = try configuration.data.resolved().settings
    return configuration
  }

  /// The settings with which a run was begun; nil where it was not. (The run's folder has them as they
  /// were fitted to the data.)
  private func begun(_ run: ListedRun) throws -> DecidingSettings? {
    let path = settingsPath(run)
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    do { return try JSONDecoder().decode(DecidingSettings.self, from: data) } catch {
      throw RunListError.damaged(path: path)
    }
  }
}
