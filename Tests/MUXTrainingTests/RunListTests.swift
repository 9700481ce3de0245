// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXEvaluation
import MUXTestSupport
import MUXTraining
import Testing

/// Asks to stop after some steps, all runs together.
private final class StepLimit: TrainingObserver {
  private let stop: StopSignal
  private var left: Int

  init(_ steps: Int, _ stop: StopSignal) {
    left = steps
    self.stop = stop
  }

  func handle(_ event: TrainingEvent) {
    guard case .step = event else { return }
    left -= 1
    if left == 0 { stop.request() }
  }
}

@Suite("Lists of trainings") struct RunListTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func run(_ name: String, seed: UInt64) throws -> ListedRun {
    var configuration = TestRun.configuration(folder("unused"))
    configuration.model.name = "muxnet_digits"
    configuration.model.inputChannels = 1
    configuration.seed = seed
    configuration.epochs = 2
    return ListedRun(name: name, configuration: configuration)
  }

  private func list(_ name: String) throws -> RunList {
    try RunList(
      folder: folder(name), runs: [run("first", seed: 1), run("second", seed: 2)])
  }

  private func outcomes(_ list: RunList) throws -> [ListedOutcome] {
    try list.runs.compactMap {
      guard case .done(let outcome) = try list.state(of: $0) else { return nil }
      return outcome
    }
  }

  @Test("a training that cannot go on is told, and the others are done")
  func failing() throws {
    var wild = try run("wild", seed: 1)
    wild.configuration.optimizer.learningRate = 1e30
    wild.configuration.optimizer.clipNorm = nil
    let list = try RunList(folder: folder("wild"), runs: [wild, run("sound", seed: 2)])
    var failed: [String] = []
    let signal = try list.run(
      stop: StopSignal(),
      failed: { run, error in failed.append("\(run.name): \(error)") })
    #expect(signal == nil && failed.count == 1)
    #expect(failed.first?.hasPrefix("wild: the ") == true, "\(failed)")
    #expect(try outcomes(list).map(\.name) == ["sound"])
    #expect(throws: TrainingError.self) { _ = try list.run(stop: StopSignal()) }
  }

  @Test("a list that is broken off in each training ends as one that is not; nothing is done twice")
  func brokenOff() throws {
    let whole = try list("whole")
    #expect(try whole.runs.map { try whole.state(of: $0) } == [.waiting, .waiting])
    var finished: [String] = []
    #expect(
      try whole.run(stop: StopSignal(), finished: { run, _ in finished.append(run.name) }) == nil)
    #expect(finished == ["first", "second"])
    let expected = try outcomes(whole)
    #expect(expected.map(\.name) == ["first", "second"] && expected[0].ending == .completed)
    #expect(expected.allSatisfy { $0.scores.count > 100 && $0.trainingImages > 1000 })

    let broken = try list("broken")
    // In the middle of the first, then of the second, then to the end.
    for steps in [4, 13] {
      let stop = StopSignal()
      let limit = StepLimit(steps, stop)
      #expect(try broken.run(stop: stop, observers: { _ in [limit] }) == SIGINT)
    }
    #expect(try broken.state(of: broken.runs[1]) == .begun)
    #expect(try outcomes(broken).map(\.name) == ["first"])
    #expect(try broken.run(stop: StopSignal()) == nil)
    #expect(try outcomes(broken).map(\.scores) == expected.map(\.scores))
    // All is done: nothing is trained again.
    let limit = StepLimit(1, StopSignal())
    _ = try broken.run(stop: StopSignal(), observers: { _ in [limit] })
    let stop = StopSignal()
    let none = StepLimit(1, stop)
    #expect(try broken.run(stop: stop, observers: { _ in [none] }) == nil)
    #expect(stop.requested == nil)
  }

  @Test("what was broken off while it was measured is measured, not trained again")
  func brokenOffMeasuring() throws {
    let list = try RunList(folder: folder("one"), runs: [run("first", seed: 1)])
    let stop = StopSignal()
    #expect(try list.run(stop: stop, progress: { _, _, _ in stop.request() }) == SIGINT)
    #expect(try list.state(of: list.runs[0]) == .begun)
    let second = StopSignal()
    let limit = StepLimit(1, second)
    #expect(try list.run(stop: second, observers: { _ in [limit] }) == nil)
    #expect(second.requested == nil)
    #expect(try outcomes(list).map(\.steps) == [12])
  }

  @Test("other settings are refused, but threads and the device may change")
  func otherSettings() throws {
    let list = try RunList(folder: folder("one"), runs: [run("first", seed: 1)])
    let stop = StopSignal()
    let limit = StepLimit(2, stop)
    _ = try list.run(stop: stop, observers: { _ in [limit] })
    var changed = list.runs[0]
    changed.configuration.threads = 1
    changed.configuration.data.workers = 3
    let threads = try RunList(folder: folder("one"), runs: [changed])
    #expect(try threads.state(of: changed) == .begun)
    changed.configuration.optimizer.learningRate *= 2
    let rate = try RunList(folder: folder("one"), runs: [changed])
    for _ in 0..<2 {
      #expect {
        _ = try rate.run(stop: StopSignal())
      } throws: { "\($0)".contains("first") && "\($0)".contains("other settings") }
      // Also once it is done.
      _ = try list.run(stop: StopSignal())
    }
  }

  @Test("a training that left only its settings begins anew; a damaged result is an error")
  func damaged() throws {
    let list = try RunList(folder: folder("one"), runs: [run("first", seed: 1)])
    let stop = StopSignal()
    let limit = StepLimit(2, stop)
    _ = try list.run(stop: stop, observers: { _ in [limit] })
    // As a process leaves it that is killed before its first checkpoint.
    try FileManager.default.removeItem(atPath: folder("one/first/checkpoints"))
    try FileManager.default.createDirectory(
      atPath: folder("one/first/checkpoints"), withIntermediateDirectories: false)
    #expect(try list.run(stop: StopSignal()) == nil)
    try folder.write("one/first.json", Array("{".utf8))
    #expect {
      _ = try list.state(of: list.runs[0])
    } throws: { "\($0)".contains("one/first.json is damaged") }
  }

  @Test("names are plain and each is given once", arguments: ["", "..", "a/b"])
  func names(name: String) throws {
    #expect(throws: RunListError.self) {
      try RunList(folder: folder.path, runs: [run(name, seed: 1)])
    }
    #expect(throws: RunListError.self) {
      try RunList(folder: folder.path, runs: [run("a", seed: 1), run("a", seed: 2)])
    }
  }
}
