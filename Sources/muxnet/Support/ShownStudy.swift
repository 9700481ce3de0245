// SPDX-License-Identifier: Apache-2.0
import MUXStudies

/// A study that is driven with its progress on the standard error.
enum ShownStudy {
  /// Starts workers and drives the study until it is done, time is up, or a signal asks to stop.
  ///
  /// - Parameters:
  ///   - quiet: Whether only warnings are shown.
  ///   - launch: Starts a worker.
  static func drive(
    _ study: Study, _ coordinator: StudyCoordinator, options: StudyMaster.Options,
    quiet: Bool = false,
    launch: @escaping () throws -> WorkerProcess
  ) throws -> StudyMaster.Ending {
    let renderer = StudyProgressRenderer(
      style: .init(isTerminal: Console.errorIsTerminal, width: Console.errorWidth)
    ) { Console.standardError($0) }
    var last: StudyTracker.Snapshot?
    let master = StudyMaster(
      coordinator, study, options: options, notice: { renderer.line("warning: \($0)") },
      launch: launch)
    let ending = try master.run(shouldStop: { StopRequest.signal != nil }) { snapshot in
      last = snapshot
      if !quiet { renderer.show(snapshot) }
    }
    if !quiet, let last { renderer.finish(last) }
    return ending
  }
}
