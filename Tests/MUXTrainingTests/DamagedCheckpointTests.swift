// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXEvaluation
import MUXTraining
import Testing

/// What may become of a checkpoint.
enum Damage: CaseIterable {
  case weightsCut, weightsGone, weightsOfNoise, averagedEmpty, optimizerOfATerabyte
  case stateCut, stateEmpty, stateOfNothing, stateOfNoise, stateGone, stateOfATerabyte, pipeForState
  case stepBelowZero, stepOfAnother, epochBelowZero, batchBeyondCounting, historyOfTheFuture
  case noFilesNamed, emptyFolder, fileForFolder

  /// Spoils the checkpoint in a folder.
  func apply(to folder: String) throws {
    let manager = FileManager.default
    let (state, weights) = ("\(folder)/state.json", "\(folder)/weights.safetensors")
    switch self {
    case .weightsCut: try resize(weights, 1000)
    case .weightsGone: try manager.removeItem(atPath: weights)
    case .weightsOfNoise:
      let count = try Data(contentsOf: URL(filePath: weights)).count
      try Data((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) })
        .write(to: URL(filePath: weights))
    case .averagedEmpty: try resize("\(folder)/averaged.safetensors", 0)
    case .optimizerOfATerabyte: try resize("\(folder)/optimizer.safetensors", 1 << 40)
    case .stateCut: try resize(state, 200)
    case .stateEmpty: try resize(state, 0)
    case .stateOfNothing: try Data("{}".utf8).write(to: URL(filePath: state))
    case .stateOfNoise: try Data("\u{0}\u{1}ÿ".utf8).write(to: URL(filePath: state))
    case .stateGone: try manager.removeItem(atPath: state)
    case .stateOfATerabyte: try resize(state, 1 << 40)
    case .pipeForState:
      try manager.removeItem(atPath: state)
      try #require(mkfifo(state, 0o644) == 0)
    case .stepBelowZero: try set("step", -9, in: state)
    case .stepOfAnother: try set("step", 8, in: state)
    case .epochBelowZero: try set("epoch", -1, in: state)
    case .batchBeyondCounting: try set("batch", Int.max, in: state)
    case .historyOfTheFuture: try set("epoch", 0, in: state)
    case .noFilesNamed: try change(state) { $0["files"] = [String: Any]() }
    case .emptyFolder:
      try manager.removeItem(atPath: folder)
      try manager.createDirectory(atPath: folder, withIntermediateDirectories: false)
    case .fileForFolder:
      try manager.removeItem(atPath: folder)
      try Data("x".utf8).write(to: URL(filePath: folder))
    }
  }

  private func resize(_ path: String, _ bytes: Int) throws {
    try #require(truncate(path, off_t(bytes)) == 0)
  }

  /// Changes `state.json` so that it still reads.
  private func change(_ path: String, _ body: (inout [String: Any]) -> Void) throws {
    let url = URL(filePath: path)
    var file = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
    body(&file)
    try JSONSerialization.data(withJSONObject: file).write(to: url)
  }

  private func set(_ key: String, _ value: Int, in path: String) throws {
    try change(path) { file in
      var state = file["state"] as? [String: Any] ?? [:]
      state[key] = value
      file["state"] = state
    }
  }
}

/// Runs whose newest checkpoints are not as they were written.
@Suite struct DamagedCheckpointTests {
  /// A run that was stopped after step 9, so that the checkpoints of the steps 8 and 9 are there.
  private static let stopped = Result {
    let folder = try TestRun.makeFolder()
    let stop = StopSignal()
    let trainer = try Trainer(
      TestRun.configuration(folder), network: TestRun.network(),
      observers: [AfterStep(9) { stop.request() }])
    trainer.stop = stop
    try trainer.run()
    return trainer.folder.path
  }

  private static let newest = "step-000000009"
  private static let before = "step-000000008"

  /// Lends a copy of the stopped run.
  private func withRun(_ body: (RunFolder) throws -> Void) throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = "\(folder)/run"
    try FileManager.default.copyItem(atPath: try Self.stopped.get(), toPath: path)
    try body(try RunFolder(existing: path))
  }

  /// Goes on with a run, for a step or to its end.
  @discardableResult
  private func resume(_ run: RunFolder, toEnd: Bool = false) throws -> [String] {
    let log = EventLog()
    let trainer = try Trainer(resuming: run.path, observers: [log])
    let stop = StopSignal()
    if !toEnd { stop.request() }
    trainer.stop = stop
    try trainer.run()
    return log.notices
  }

  @Test(
    "whatever became of the newest checkpoint, the run goes on from the one before and says so",
    arguments: Damage.allCases)
  func fallsBack(_ damage: Damage) throws {
    try withRun { run in
      try damage.apply(to: "\(run.checkpoints)/\(Self.newest)")
      let notices = try resume(run)
      #expect(notices.count == 1, "\(notices)")
      #expect(notices.first?.contains("damaged (\(Self.newest): ") == true, "\(notices)")
      #expect(notices.first?.contains("going on from \(Self.before)") == true, "\(notices)")
      #expect(notices.first?.contains("\n") == false)
      // What was damaged stays; the step is saved beside it.
      let names = CheckpointStore(path: run.checkpoints).names()
      #expect(names.suffix(2) == [Self.newest, Self.newest + ".1"], "\(names)")
    }
  }

  @Test("the run that fell back ends as one that nothing interrupted, bit for bit")
  func sameEnd() throws {
    try withRun { run in
      let weights = "\(run.checkpoints)/\(Self.newest)/weights.safetensors"
      try #require(truncate(weights, 5000) == 0)
      let state = try Data(
        contentsOf: URL(filePath: "\(run.checkpoints)/\(Self.newest)/state.json"))
      try Data("no table".utf8).write(to: URL(filePath: run.summary))
      try Data("no list".utf8).write(to: URL(filePath: run.environment))
      try #require(truncate(run.lastWeights, 10) == 0)
      #expect(try resume(run, toEnd: true).count == 1)
      try ResumeTests.expectSameAsUnbroken(run.path)
      #expect(try Data(contentsOf: URL(filePath: weights)).count == 5000)
      #expect(
        try Data(contentsOf: URL(filePath: "\(run.checkpoints)/\(Self.newest)/state.json")) == state
      )
      let rows = try String(contentsOfFile: run.summary, encoding: .utf8).split(separator: "\n")
      #expect(rows.count == 4)
      // And once more: the last checkpoint of a run that is done.
      let last = try #require(CheckpointStore(path: run.checkpoints).names().last)
      try #require(truncate("\(run.checkpoints)/\(last)/optimizer.safetensors", 100) == 0)
      #expect(try resume(run, toEnd: true).count == 1)
      try ResumeTests.expectSameAsUnbroken(run.path)
      let names = CheckpointStore(path: run.checkpoints).names()
      #expect(names.contains(Self.newest) && names.contains(last), "\(names)")
    }
  }

  @Test("where no checkpoint is sound, one line names all of them, and nothing is removed")
  func none() throws {
    try withRun { run in
      let store = CheckpointStore(path: run.checkpoints)
      let names = store.names()
      #expect(names.suffix(2) == [Self.before, Self.newest])
      for name in names {
        try #require(truncate("\(store.folder(of: name))/optimizer.safetensors", 9) == 0)
      }
      let error = #expect(throws: CheckpointError.self) { try Trainer(resuming: run.path) }
      let line = "\(error.map { "\($0)" } ?? "")"
      for name in names { #expect(line.contains("\(name): optimizer.safetensors"), "\(line)") }
      #expect(!line.contains("\n"))
      #expect(store.names() == names)
    }
  }

  @Test("a checkpoint of a newer program is not damaged: the run does not fall back behind it")
  func newer() throws {
    try withRun { run in
      let url = URL(filePath: "\(run.checkpoints)/\(Self.newest)/state.json")
      let text = try String(contentsOf: url, encoding: .utf8)
      try text.replacing("\"version\" : 1", with: "\"version\" : 9").write(
        to: url, atomically: true, encoding: .utf8)
      let error = #expect(throws: CheckpointError.self) { try Trainer(resuming: run.path) }
      #expect(error?.description.contains("is of version 9") == true)
    }
  }

  @Test("a damaged best checkpoint is named, and the best of the others is published")
  func best() throws {
    try withRun { run in
      let store = CheckpointStore(path: run.checkpoints)
      let best = try #require(try store.load().state.best.first?.name)
      try #require(truncate("\(store.folder(of: best))/averaged.safetensors", 50) == 0)
      let notices = try resume(run)
      #expect(notices.count == 1 && notices[0].contains("kept as the best"), "\(notices)")
      #expect(notices.first?.contains("\(best): averaged.safetensors") == true, "\(notices)")
      #expect(store.names().contains(best))
      #expect(try store.load().state.best.isEmpty)
      try resume(run, toEnd: true)
      #expect(try TrainedModel(path: run.bestWeights).metadata != nil)
    }
  }

  @Test("fewer epochs in the settings than were done is an error, no crash")
  func fewerEpochs() throws {
    try withRun { run in
      let text = try String(contentsOfFile: run.configuration, encoding: .utf8)
      // Step 9 is in the second of three epochs.
      try resume(run, toEnd: true)
      try text.replacing("epochs: 3", with: "epochs: 2").write(
        toFile: run.configuration, atomically: true, encoding: .utf8)
      let error = #expect(throws: CheckpointError.self) { try Trainer(resuming: run.path) }
      #expect(error?.description.contains("3 epochs") == true)
    }
  }

  @Test("settings and network beside the checkpoints that cannot be read are named")
  func neighbours() throws {
    for file in [\RunFolder.configuration, \RunFolder.network] {
      for text in ["", "{", "\u{0}", "seed: [1"] {
        try withRun { run in
          try Data(text.utf8).write(to: URL(filePath: run[keyPath: file]))
          do {
            _ = try Trainer(resuming: run.path)
            Issue.record("\(run[keyPath: file]) with \(text.debugDescription) was accepted")
          } catch {
            let name = URL(filePath: run[keyPath: file]).lastPathComponent
            #expect("\(error)".contains(name), "\(error)")
            #expect(!"\(error)".contains("\n"), "\(error)")
          }
        }
      }
    }
  }

  @Test("settings that lack their end are not read with defaults")
  func halfOfTheSettings() throws {
    try withRun { run in
      let lines = try String(contentsOfFile: run.configuration, encoding: .utf8)
        .split(separator: "\n", omittingEmptySubsequences: false)
      for count in stride(from: 1, to: lines.count - 2, by: 7) {
        try lines.prefix(count).joined(separator: "\n")
          .write(toFile: run.configuration, atomically: true, encoding: .utf8)
        do {
          _ = try Trainer(resuming: run.path)
          Issue.record("\(count) of \(lines.count) lines were accepted")
        } catch { #expect("\(error)".contains("configuration.yaml"), "\(error)") }
      }
    }
  }

  @Test("best weights that cannot be read are named, with the last ones that can")
  func evaluation() throws {
    try withRun { run in
      // A copy first: it is another name of the checkpoint's file.
      try FileManager.default.removeItem(atPath: run.bestWeights)
      try Data("cut".utf8).write(to: URL(filePath: run.bestWeights))
      let error = #expect(throws: CheckpointError.self) { try TrainedModel(path: run.path) }
      #expect(error?.description.contains(run.lastWeights) == true)
      #expect(error?.description.contains(run.bestWeights) == true)
      try Data("cut".utf8).write(to: URL(filePath: run.lastWeights))
      #expect(throws: (any Error).self) { try TrainedModel(path: run.path) }
    }
  }
}
