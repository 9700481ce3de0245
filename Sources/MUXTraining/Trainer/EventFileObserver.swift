// SPDX-License-Identifier: Apache-2.0
import MUXInterchange

/// Writes the curves of a run for TensorBoard.
public final class EventFileObserver: TrainingObserver {
  private let everySteps: Int
  private var overview: RunOverview?
  private var writer: TensorBoardWriter?

  /// An observer that notes the training loss every so many steps, and all scores of each epoch.
  public init(everySteps: Int = 50) {
    self.everySteps = max(everySteps, 1)
  }

  /// Writes what the event has to show.
  public func handle(_ event: TrainingEvent) throws {
    switch event {
    case .started(let overview): self.overview = overview
    case .step(let report):
      guard report.step % everySteps == 0 else { return }
      try write(
        [("train/step_loss", report.loss), ("learning_rate", report.learningRate)],
        step: report.step)
    case .epoch(let report):
      var values = [
        ("train/loss", report.trainingLoss), ("images_per_second", report.imagesPerSecond),
        ("data_wait", report.dataWait),
      ]
      if let scores = report.validation {
        values += [
          ("val/loss", scores.loss), ("val/top1", scores.top1), ("val/top5", scores.top5),
        ]
      }
      if let scores = report.rawValidation { values.append(("raw/top1", scores.top1)) }
      try write(values, step: report.step)
    case .evaluating, .saved, .notice, .finished: break
    }
  }

  /// The file is made with the first values: only then is it known from which step on a resumed run
  /// repeats what an earlier file has.
  private func write(_ values: [(String, Double)], step: Int) throws {
    guard let overview else { return }
    let writer =
      try self.writer
      ?? TensorBoardWriter(
        directory: "\(overview.folder)/events",
        resumeStep: overview.firstStep > 0 ? min(step, overview.firstStep + 1) : nil)
    self.writer = writer
    try writer.write(values.map { (tag: $0.0, value: $0.1) }, step: step)
  }
}
