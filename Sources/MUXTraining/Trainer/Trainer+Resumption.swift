// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXCore

extension Trainer {
  /// Says what is otherwise than before a run was taken up again, and writes it into the run's folder.
  ///
  /// - Parameters:
  ///   - checkpoint: Where the run goes on.
  ///   - stored: Settings that take the place of the folder's, of a run that is prolonged.
  ///   - before: The epochs that the folder's settings had.
  ///   - given: What was changed in the settings.
  ///   - changes: What is otherwise with the images.
  func recordResumption(
    from checkpoint: String, stored: TrainingConfiguration?, epochs before: Int,
    notices given: [String], changes: [String]
  ) throws {
    notices += RunEnvironment.changes(
      from: folder.environment, to: configuration, group: group)
    notices += given
    if stored != nil { notices.append(prolonging(from: before)) }
    if !changes.isEmpty {
      let line =
        "the data changed: \(changes.joined(separator: "; ")); the order of the images and the"
        + " scores are others than those of an unbroken run"
      notices.append(line)
      warnings.insert(line)
    }
    try writing {
      if let stored {
        try AtomicFile.write(try ConfigurationText.yaml(stored), to: folder.configuration)
        // What it says is no longer the end.
        try? FileManager.default.removeItem(atPath: folder.result)
      }
      try writeDataRecord()
      try RunEnvironment.append(
        configuration, group: group, firstStep: firstStep, to: folder.environment)
      try writeSummary()
      try publishWeights(last: checkpoint)
    }
  }

  /// What changes with the number of epochs.
  private func prolonging(from before: Int) -> String {
    let schedule = configuration.schedule
    func rate(_ epochs: Int) -> String {
      let clock = ScheduleClock(stepsPerEpoch: clock.stepsPerEpoch, epochs: epochs)
      return NumberText.significant(
        schedule.rate(step: state.step, base: baseRate, clock: clock), digits: 3)
    }
    return
      "prolonged from \(before) to \(configuration.epochs) epochs: the learning rate follows the"
      + " schedule of \(configuration.epochs) epochs from here on, \(rate(configuration.epochs)) at step"
      + " \(state.step + 1) (before: \(rate(before)))"
  }
}
