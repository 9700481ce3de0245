// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
import MUXSearch
import MUXSearchTraining
import MUXTestSupport
import MUXTraining
import MUXWeights
import Testing

@Suite("A super-network is trained by an ordinary run", .serialized)
struct SupernetTrainingTests {
  private final class Log: TrainingObserver {
    var losses: [Double] = []
    var parts: Set<String> = []
    var notices: [String] = []
    var breaks: (at: Int, stop: StopSignal)?

    func handle(_ event: TrainingEvent) throws {
      switch event {
      case .step(let report):
        losses.append(report.loss)
        parts.formUnion(report.lossParts.map(\.name))
        if report.step == breaks?.at { breaks?.stop.request() }
      case .notice(let text), .warning(let text): notices.append(text)
      default: break
      }
    }
  }

  /// All tensors of the last checkpoint, bit for bit.
  private func bits(_ run: String) throws -> [String: [UInt8]] {
    let store = CheckpointStore(path: "\(run)/checkpoints")
    let name = try store.load().name
    var bits: [String: [UInt8]] = [:]
    for file in ["weights", "averaged", "optimizer", "supernet", "supernet-averaged"] {
      for (tensor, content) in try store.archive("\(file).safetensors", of: name) {
        bits["\(file)/\(tensor)"] = content.bytes.array
      }
    }
    return bits
  }

  @Test("its folder is that of a run, the weights are those of the largest network, and it learns")
  func run() throws {
    let folder = try TemporaryFolder()
    let log = Log()
    let trainer = try SupernetTraining.trainer(
      SupernetRun.configuration(folder("runs"), ["epochs=10"]), observers: [log])
    trainer.stop = StopSignal()
    let result = try trainer.run()
    #expect(result.ending == .completed)
    #expect(log.parts == ["largest", "others"])
    #expect(log.notices.contains { $0.contains("super-network of the space 'muxnet_digits'") })
    let top1 = try #require(result.best?.validation?["top1"])
    #expect(top1 > 0.6, "chance is a tenth")
    let run = trainer.folder
    for file in [run.supernet, run.space, run.bestWeights, run.configuration, run.summary] {
      #expect(FileManager.default.fileExists(atPath: file), "\(file)")
    }
    // Anything that takes a run takes this one.
    let model = try TrainedModel(path: run.path)
    #expect(model.weights.network.name == "muxnet_digits_supernet")
    let validation = try trainer.configuration.data.open(.validation)
    let scores = try model.evaluate(on: validation, batchSize: 64).scores
    #expect(abs(try #require(scores["top1"]) - top1) < 0.005)
  }

  @Test("a single path a step learns, too")
  func singlePath() throws {
    let folder = try TemporaryFolder()
    let log = Log()
    let trainer = try SupernetTraining.trainer(
      SupernetRun.configuration(
        folder("runs"), ["epochs=10", "supernet.rule=single", "average.enabled=false"]),
      observers: [log])
    trainer.stop = StopSignal()
    _ = try trainer.run()
    func mean(_ losses: ArraySlice<Double>) -> Double {
      losses.reduce(0, +) / Double(losses.count)
    }
    let (first, last) = (mean(log.losses.prefix(10)), mean(log.losses.suffix(30)))
    #expect(log.parts.isEmpty, "one loss has no parts")
    #expect(last < 0.9 * first)
  }

  @Test(
    "interrupted anywhere and gone on with, it ends as an unbroken run, bit for bit",
    arguments: [7, 15, 33])
  func resume(step: Int) throws {
    let folder = try TemporaryFolder()
    let unbroken = try SupernetTraining.trainer(SupernetRun.configuration(folder("whole")))
    unbroken.stop = StopSignal()
    _ = try unbroken.run()
    let log = Log()
    let stop = StopSignal()
    log.breaks = (step, stop)
    let broken = try SupernetTraining.trainer(
      SupernetRun.configuration(folder("broken")), observers: [log])
    broken.stop = stop
    #expect(try broken.run().ending == .interrupted)
    let resumed = try SupernetTraining.trainer(resuming: broken.folder.path)
    resumed.stop = StopSignal()
    #expect(try resumed.run().ending == .completed)
    let (expected, actual) = (try bits(unbroken.folder.path), try bits(broken.folder.path))
    #expect(Set(expected.keys) == Set(actual.keys))
    let different = expected.filter { actual[$0.key] != $0.value }.keys.sorted()
    #expect(different.isEmpty, "of \(expected.count) tensors these differ: \(different.prefix(5))")
    let scores = try [unbroken, broken].map { trainer in
      try CheckpointStore(path: trainer.folder.checkpoints).load().state.history.map(\.validation)
    }
    #expect(scores[0] == scores[1])
  }

  @Test("settings of one network's training, a missing space, and no validation images are refused")
  func refused() throws {
    let folder = try TemporaryFolder()
    func error(_ assignments: [String]) -> String {
      let error = #expect(throws: (any Error).self) {
        try SupernetTraining.trainer(SupernetRun.configuration(folder("runs"), assignments))
      }
      return error.map { "\($0)" } ?? ""
    }
    #expect(error(["model.freeze=[conv_stem]"]).contains("model.freeze"))
    #expect(error(["model.initialWeights=some.safetensors"]).contains("model.initialWeights"))
    #expect(error(["supernet.space=nowhere"]).contains("there is no such space"))
    #expect(error(["supernet.statisticsImages=0"]).contains("supernet.statisticsImages"))
    #expect(error(["supernet.maximumMultiplyAdds=10"]).contains("no network of the space"))
    #expect(error(["data.validationFraction=0"]).contains("data.validationFraction"))
    #expect(!FileManager.default.fileExists(atPath: folder("runs")))
    // Whoever does not know of super-networks neither begins nor goes on with one.
    let configuration = try SupernetRun.configuration(folder("runs"), ["model.name=muxnet_digits"])
    #expect(throws: (any Error).self) { try Trainer(configuration) }
    let (copy, run) = try SupernetRun.copy()
    defer { withExtendedLifetime(copy) {} }
    #expect(throws: (any Error).self) { try Trainer(resuming: run) }
  }
}
