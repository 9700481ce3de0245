// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXNetworks
import MUXRuntime
import MUXTestSupport
import MUXWeights
import Testing

/// What becomes of a plan whose file is written over, cut off, touched or replaced.
@Suite("Model files that change")
struct ModelLoadingTests {
  private let folder: TemporaryFolder
  private let path: String
  private let bytes: [UInt8]
  private let input: [Float]
  private let expected: [Float]

  init() throws {
    folder = try TemporaryFolder()
    path = folder("m.muxnet")
    let network = try ModelZoo.network(
      named: "muxnet_xs", options: ModelOptions(classes: 6, inputSize: ImageSize(32)))
    let weights = RandomWeights.archive(network, seed: 4)
    bytes = try PackedModel.bytes(
      network, weights: weights, lanes: [InstructionSet.current.lanes])
    try Data(bytes).write(to: URL(filePath: path))
    input = pixels(3 * 32 * 32, seed: 2)
    expected = try InferenceEngine(InferencePlan(network, weights: weights)).run(input)
  }

  /// Writes into the file that is open, and makes sure that the system notes another time.
  private func overwrite(at offset: UInt64, _ bytes: [UInt8], cutAt end: UInt64? = nil) throws {
    let file = try FileHandle(forUpdating: URL(filePath: path))
    try file.seek(toOffset: offset)
    try file.write(contentsOf: Data(bytes))
    if let end { try file.truncate(atOffset: end) }
    try file.close()
    try touch()
  }

  private func touch() throws {
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_000_000)], ofItemAtPath: path)
  }

  @Test("A mapped file that is cut off or written over is an error of the next run, not a crash")
  func mapped() throws {
    for change in [
      { try overwrite(at: 0, [], cutAt: 0) }, { try overwrite(at: 0, [], cutAt: 100) },
      { try overwrite(at: 0, [], cutAt: UInt64(bytes.count - 1)) },
      { try overwrite(at: UInt64(bytes.count - 300), [1, 2, 3, 4, 5, 6, 7]) },
      // Cut off and filled up again.
      {
        try overwrite(at: 0, [], cutAt: 8192)
        try overwrite(at: UInt64(bytes.count - 1), [0])
      },
    ] as [() throws -> Void] {
      try Data(bytes).write(to: URL(filePath: path), options: .atomic)
      let plan = try InferencePlan(model: path)
      let engine = try InferenceEngine(plan, threads: 2)
      #expect(try engine.run(input) == expected)
      try change()
      for _ in 0..<2 {
        let error = #expect(throws: RuntimeError.self) { try engine.run(input) }
        #expect(error?.description.contains("written over or cut off while it was in use") == true)
      }
      #expect(throws: RuntimeError.self) { try engine.run(input + input, count: 2) }
      #expect(throws: RuntimeError.self) { try engine.features(input) }
    }
  }

  @Test("A model that is cut off between being opened and being compiled is an error")
  func opened() throws {
    let model = try PackedModel(contentsOf: path)
    try overwrite(at: 0, [], cutAt: 4096)
    let error = #expect(throws: RuntimeError.self) { try InferencePlan(model) }
    #expect(error?.description.contains("cut off or damaged") == true)
  }

  @Test("A file that is touched, moved, removed or replaced as a whole changes nothing")
  func harmless() throws {
    let engine = try InferenceEngine(InferencePlan(model: path))
    try touch()
    #expect(try engine.run(input) == expected)
    try AtomicFile.write([1, 2, 3], to: path)
    #expect(try engine.run(input) == expected)
    try FileManager.default.removeItem(atPath: path)
    #expect(try engine.run(input) == expected)
  }

  @Test("A copied file may be changed in any way")
  func copied() throws {
    let plan = try InferencePlan(model: path, loading: .copied)
    let engine = try InferenceEngine(plan)
    try overwrite(at: 0, [9, 9, 9], cutAt: 64)
    #expect(try engine.run(input) == expected)
    // Safetensors, whose tensors a model holds until a plan is made.
    let network = try ModelZoo.network(
      named: "muxnet_xs", options: ModelOptions(classes: 6, inputSize: ImageSize(32)))
    try ModelFile(network, weights: RandomWeights.archive(network, seed: 4)).write(to: path)
    let model = try ModelFile(contentsOf: path, loading: .copied)
    try overwrite(at: 0, [], cutAt: 64)
    let direct = try InferenceEngine(InferencePlan(model.network, weights: model.weights))
    #expect(try direct.run(input) == expected)
    for loading in [ModelLoading.mapped, .copied] {
      #expect(throws: (any Error).self) { try InferencePlan(model: path, loading: loading) }
      #expect(throws: (any Error).self) {
        try InferencePlan(model: folder("none"), loading: loading)
      }
      #expect(throws: (any Error).self) {
        try InferencePlan(model: folder.path, loading: loading)
      }
    }
  }

  @Test("A file packed for another kind of processor runs where it can, else says what to do")
  func otherProcessor() throws {
    let network = try ModelZoo.network(
      named: "muxnet_xs", options: ModelOptions(classes: 6, inputSize: ImageSize(32)))
    let weights = RandomWeights.archive(network, seed: 4)
    for lanes in PackedModel.possibleLanes {
      try PackedModel.write(network, weights: weights, lanes: [lanes], to: path)
      for set in InstructionSet.allCases where set.isAvailable {
        if set.lanes == lanes {
          let engine = try InferenceEngine(InferencePlan(model: path, instructionSet: set))
          #expect(difference(try engine.run(input), expected) < 1e-4)
        } else {
          let error = #expect(throws: RuntimeError.self) {
            try InferencePlan(model: path, instructionSet: set)
          }
          #expect(error?.description.contains("\(set.lanes) lanes); convert it again") == true)
        }
      }
    }
  }
}
