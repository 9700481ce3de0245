// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXEvaluation
import MUXTasks
import MUXTraining
import MUXWeights
import Testing

@Suite struct CheckpointTests {
  private func makeStore() throws -> CheckpointStore {
    CheckpointStore(path: try TestRun.makeFolder())
  }

  private func archive(_ value: Float) -> TensorArchive {
    var archive = TensorArchive()
    archive["x"] = ArchivedTensor([value, value + 1], shape: [2])
    return archive
  }

  private func state(step: Int) -> TrainingState {
    var state = TrainingState()
    state.step = step
    state.lossSum = 0.1 + 0.2
    return state
  }

  @Test("the latest checkpoint is loaded, with its tensors and every bit of its numbers")
  func roundTrip() throws {
    let store = try makeStore()
    defer { try? FileManager.default.removeItem(atPath: store.path) }
    try store.save([("a.safetensors", archive(1))], state: state(step: 9))
    try store.save([("a.safetensors", archive(2))], state: state(step: 10))
    let (name, loaded) = try store.load()
    #expect(loaded == state(step: 10))
    #expect(try store.archive("a.safetensors", of: name)["x"]?.floats == [2, 3])
    #expect(store.names().count == 2)
  }

  @Test("two checkpoints of one step are kept apart and ordered")
  func serials() throws {
    let store = try makeStore()
    defer { try? FileManager.default.removeItem(atPath: store.path) }
    for value in 0..<12 {
      try store.save([("a.safetensors", archive(Float(value)))], state: state(step: 3))
    }
    let name = try store.load().name
    #expect(name == "step-000000003.11")
    #expect(try store.archive("a.safetensors", of: name)["x"]?.floats == [11, 12])
    store.prune(keeping: [name, "step-000000003"])
    #expect(store.names() == ["step-000000003", name])
  }

  @Test("numbers that are none survive")
  func notANumber() throws {
    let store = try makeStore()
    defer { try? FileManager.default.removeItem(atPath: store.path) }
    var odd = state(step: 1)
    odd.lossSum = .infinity
    odd.best = [RankedCheckpoint(name: "a", epoch: 1, value: .nan)]
    try store.save([], state: odd)
    let loaded = try store.load().state
    #expect(loaded.lossSum == .infinity && loaded.best[0].value.isNaN)
  }

  @Test("what an interrupted save left behind is neither loaded nor counted")
  func partial() throws {
    let store = try makeStore()
    defer { try? FileManager.default.removeItem(atPath: store.path) }
    try store.save([("a.safetensors", archive(1))], state: state(step: 1))
    let torn = "\(store.path)/.partial-step-000000002"
    try FileManager.default.createDirectory(
      atPath: torn, withIntermediateDirectories: false)
    try Data("half".utf8).write(to: URL(filePath: "\(torn)/a.safetensors"))
    #expect(try store.load().state.step == 1)
    store.removePartial()
    #expect(!FileManager.default.fileExists(atPath: torn))
  }

  @Test("a cut, changed or missing file is found before anything is loaded")
  func damaged() throws {
    let store = try makeStore()
    defer { try? FileManager.default.removeItem(atPath: store.path) }
    let name = try store.save([("a.safetensors", archive(1))], state: state(step: 1))
    let url = URL(filePath: "\(store.folder(of: name))/a.safetensors")
    let whole = try Data(contentsOf: url)
    func reason() -> String {
      do {
        _ = try store.load()
        return "none"
      } catch { return "\(error)" }
    }
    try whole.dropLast().write(to: url)
    #expect(reason().contains("bytes instead of \(whole.count)"))
    var changed = whole
    changed[whole.count - 1] ^= 1
    try changed.write(to: url)
    #expect(reason().contains("checksum of a.safetensors"))
    try FileManager.default.removeItem(at: url)
    #expect(reason().contains("damaged"))
    try whole.write(to: url)
    #expect(reason() == "none")
    try Data("{}".utf8).write(to: URL(filePath: "\(store.folder(of: name))/state.json"))
    #expect(reason().contains("state.json cannot be read"))
  }

  @Test("a state without later settings reads with their defaults; a newer version is refused")
  func versions() throws {
    let store = try makeStore()
    defer { try? FileManager.default.removeItem(atPath: store.path) }
    let name = try store.save([("a.safetensors", archive(1))], state: state(step: 3))
    let url = URL(filePath: "\(store.folder(of: name))/state.json")
    var file = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
    // What the first version wrote of an epoch: three numbers and a count, and no task anywhere.
    let epoch: [String: Any] = [
      "epoch": 1, "step": 3, "learningRate": 0.1, "trainingLoss": 2.5, "imagesPerSecond": 10,
      "dataWait": 0, "seconds": 1, "isBest": true,
      "validation": ["top1": 0.5, "top5": 0.75, "loss": 1.5, "count": 20],
    ]
    file["state"] = ["version": 1, "step": 3, "epoch": 1, "history": [epoch]]
    try JSONSerialization.data(withJSONObject: file).write(to: url)
    let loaded = try store.load().state
    #expect(loaded.step == 3 && loaded.best.isEmpty && loaded.tunedTask == nil)
    #expect(loaded.bestEpoch(by: Classification.top1)?.value == 0.5)
    #expect(
      loaded.history[0].validation == Scores(count: 20, ["top1": 0.5, "top5": 0.75, "loss": 1.5]))
    file["state"] = ["version": 2, "step": 3]
    try JSONSerialization.data(withJSONObject: file).write(to: url)
    let error = #expect(throws: CheckpointError.self) { try store.load() }
    #expect(
      error?.description.contains("is of version 2, and this program reads versions up to 1")
        == true)
    file["state"] = ["version": 1]
    try JSONSerialization.data(withJSONObject: file).write(to: url)
    #expect(throws: CheckpointError.self) { try store.load() }
  }

  @Test("the best are kept in order, the earlier first among equals")
  func ranking() {
    var list: [RankedCheckpoint] = []
    for (epoch, value) in [0.5, 0.9, 0.7, 0.9, .nan, 0.8].enumerated() {
      RankedCheckpoint.insert(
        RankedCheckpoint(name: "e\(epoch)", epoch: epoch, value: value), into: &list, limit: 3,
        metric: Classification.top1)
    }
    #expect(list.map(\.name) == ["e1", "e3", "e5"])
  }
}
