// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXTasks
import MUXWeights

/// Writes a run's scalars for TensorBoard into its folder.
public final class TensorBoardObserver: TrainingObserver {
  private let everySteps: Int
  private var overview: RunOverview?
  private var writer: TensorBoardWriter?

  /// Makes an observer that writes the scalars of a step every so many steps.
  public init(everySteps: Int = 50) {
    self.everySteps = max(everySteps, 1)
  }

  /// Writes an event's numbers.
  public func handle(_ event: TrainingEvent) throws {
    switch event {
    case .started(let overview):
      self.overview = overview
    case .step(let report) where report.step % everySteps == 0:
      var values: [(tag: String, value: Double)] = [
        ("step/loss", report.loss), ("step/learning_rate", report.learningRate),
        ("step/images_per_second", report.imagesPerSecond), ("step/data_wait", report.dataWait),
      ]
      values += report.lossParts.map { ("step/loss_\($0.name)", $0.value) }
      if let norm = report.gradientNorm { values.append(("step/gradient_norm", norm)) }
      try write(values, step: report.step)
    case .epoch(let report):
      var values: [(tag: String, value: Double)] = [
        ("train/loss", report.trainingLoss), ("train/learning_rate", report.learningRate),
        ("train/images_per_second", report.imagesPerSecond), ("train/data_wait", report.dataWait),
      ]
      let task = overview?.task.task
      for metric in task?.shownMetrics ?? [] {
        if let value = report.validation?[metric] {
          values.append(("validation/\(metric.name)", value))
        }
      }
      if let metric = task?.metrics.first, let value = report.rawValidation?[metric] {
        values.append(("validation/raw_\(metric.name)", value))
      }
      try write(values, step: report.step)
    case .step, .evaluating, .saved, .notice, .warning, .finished: break
    }
  }

  /// The file is made with the first values: only then is it known from which step on a resumed run
  /// repeats what an earlier file has. The scores of an epoch belong to its last step, so those of
  /// the step that the run goes on from may be there already, or not yet.
  private func write(_ values: [(tag: String, value: Double)], step: Int) throws {
    guard let overview else { return }
    let writer =
      try self.writer
      ?? TensorBoardWriter(
        directory: overview.folder,
        resumeStep: overview.firstStep > 0 ? min(step, overview.firstStep + 1) : nil)
    self.writer = writer
    try writer.write(values, step: step)
  }
}
