// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXEvaluation
import MUXNetworkFiles
import MUXNetworks
import MUXTestSupport
import MUXTraining
import Testing

@Suite(.tags(.waits), .endsSometime) struct ResumeTests {
  /// The run that nothing interrupts.
  static let unbroken = Result {
    let folder = try TestRun.makeFolder()
    let trainer = try Trainer(TestRun.configuration(folder), network: TestRun.network())
    trainer.stop = StopSignal()
    try trainer.run()
    return trainer.folder.path
  }

  /// Expects the bits of the run that nothing interrupts.
  static func expectSameAsUnbroken(_ run: String) throws {
    let reference = try unbroken.get()
    let expected = try TestRun.bits(of: reference)
    let actual = try TestRun.bits(of: run)
    #expect(Set(actual.keys) == Set(expected.keys))
    let different = expected.filter { actual[$0.key] != $0.value }.keys.sorted()
    #expect(different.isEmpty, "of \(expected.count) tensors these differ: \(different)")
    #expect(try TestRun.numbers(of: run) == TestRun.numbers(of: reference))
  }

  private func resume(_ run: String) throws -> TrainingResult {
    let trainer = try Trainer(resuming: run)
    trainer.stop = StopSignal()
    return try trainer.run()
  }

  @Test("the same seed gives the same weights bit for bit")
  func repeatable() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let trainer = try Trainer(TestRun.configuration(folder), network: TestRun.network())
    trainer.stop = StopSignal()
    let result = try trainer.run()
    #expect(result.steps == 18 && result.epochs == 3 && result.ending == .completed)
    try Self.expectSameAsUnbroken(trainer.folder.path)
  }

  @Test("a run killed in the middle of an epoch and resumed ends as an unbroken one, bit for bit")
  func killed() async throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    await #expect(processExitsWith: .signal(SIGKILL)) { [folder = folder as String] in
      let killer = AfterStep(9) { kill(getpid(), SIGKILL) }
      let trainer = try Trainer(
        TestRun.configuration(folder), network: TestRun.network(), observers: [killer])
      try trainer.run()
    }
    let run = "\(folder)/run"
    let state = try CheckpointStore(path: "\(run)/checkpoints").load().state
    #expect(state.step == 8 && state.epoch == 1 && state.batch == 4)
    #expect(try resume(run).steps == 18)
    try Self.expectSameAsUnbroken(run)
    let table = try String(contentsOfFile: "\(run)/summary.csv", encoding: .utf8)
    let lines = table.split(separator: "\n")
    #expect(lines.count == 4 && lines.count { $0.hasPrefix("epoch,") } == 1)
  }

  @Test("a run stopped and resumed after each of several steps ends as an unbroken one")
  func stopped() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let stop = StopSignal()
    let first = try Trainer(
      TestRun.configuration(folder), network: TestRun.network(),
      observers: [AfterStep(5) { stop.request(SIGTERM) }])
    first.stop = stop
    let result = try first.run()
    #expect(result.ending == .interrupted && result.exitCode == 143 && result.steps == 5)
    #expect(!FileManager.default.fileExists(atPath: first.folder.result))
    // After the last step of an epoch, and during an evaluation: it is still due when the run goes
    // on.
    let again = StopSignal()
    let second = try Trainer(
      resuming: first.folder.path, observers: [AfterStep(12) { again.request() }])
    second.stop = again
    #expect(try second.run().exitCode == 130)
    let late = StopSignal()
    let third = try Trainer(
      resuming: first.folder.path, observers: [DuringEvaluation { late.request() }])
    third.stop = late
    let stopped = try third.run()
    #expect(stopped.ending == .interrupted && stopped.steps == 12 && stopped.epochs == 1)
    #expect(try resume(first.folder.path).ending == .completed)
    try Self.expectSameAsUnbroken(first.folder.path)
  }

  @Test("SIGINT ends a run after the step under way, with exit code 130 and all saved")
  func interrupted() async throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    await #expect(processExitsWith: .exitCode(130)) { [folder = folder as String] in
      StopSignal.watch()
      let trainer = try Trainer(
        TestRun.configuration(folder), network: TestRun.network(),
        observers: [
          AfterStep(3) {
            // Another thread of the process takes the signal, so it is waited for.
            kill(getpid(), SIGINT)
            for _ in 0..<10_000 where StopSignal.process.requested == nil { usleep(1_000) }
          }
        ])
      exit(try trainer.run().exitCode)
    }
    #expect(try CheckpointStore(path: "\(folder)/run/checkpoints").load().state.step == 3)
  }

  @Test("a run that goes on with another number of threads says so")
  func otherThreads() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var configuration = TestRun.configuration(folder)
    configuration.threads = 1
    let stop = StopSignal()
    let first = try Trainer(
      configuration, network: TestRun.network(), observers: [AfterStep(2) { stop.request() }])
    first.stop = stop
    try first.run()
    func notices(threads: Int) throws -> [String] {
      let log = EventLog()
      let stopped = StopSignal()
      stopped.request()
      let trainer = try Trainer(resuming: first.folder.path, observers: [log]) {
        $0.threads = threads
      }
      trainer.stop = stopped
      try trainer.run()
      return log.notices
    }
    #expect(try notices(threads: 1).isEmpty)
    let warning = try notices(threads: 3)
    #expect(warning.count == 1 && warning[0].contains("threads 1, now 3"), "\(warning)")
  }

  @Test("another optimizer or network than the checkpoint's is refused")
  func mismatch() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let run = "\(folder)/copy"
    try FileManager.default.copyItem(atPath: try Self.unbroken.get(), toPath: run)
    #expect(throws: CheckpointError.self) {
      try Trainer(resuming: run) { $0.optimizer.kind = .adamW }
    }
    let other = try NetworkFile.json(TestRun.network(headChannels: 24))
    try other.write(to: URL(filePath: "\(run)/network.json"))
    #expect(throws: CheckpointError.self) { try Trainer(resuming: run) }
    #expect(throws: RunFolderError.nothingToResume(path: folder)) {
      try Trainer(resuming: folder)
    }
  }
}
