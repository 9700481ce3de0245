// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXImages
import MUXNetworks
import MUXRuntime
import MUXTestSupport
import MUXWeights
import Testing

@Suite("Packed model files")
struct PackedModelTests {
  private func network(_ name: String = "muxnet_xs", size: Int = 64) throws -> Network {
    try ModelZoo.architecture(named: name)
      .applying(ModelOptions(classes: 6, inputSize: ImageSize(size))).network()
  }

  @Test(
    "A packed model gives the same numbers as the network's own tensors, to the bit",
    arguments: Portion.of(["muxnet_xs", "muxnet_s", "muxnet_m", "mobilenetv2_050"]))
  func sameNumbers(name: String) throws {
    let folder = try TemporaryFolder()
    let network = try network(name)
    let weights = RandomWeights.archive(network, seed: 4)
    try PackedModel.write(network, weights: weights, to: folder("m.muxnet"))
    let model = try PackedModel(contentsOf: folder("m.muxnet"))
    #expect(model.network == network)
    #expect(model.lanes == PackedModel.possibleLanes)
    let input = pixels(3 * 64 * 64, seed: 2)
    for set in availableSets {
      let direct = try InferencePlan(network, weights: weights, instructionSet: set)
      let expected = try InferenceEngine(direct).run(input)
      let packed = try InferencePlan(model, instructionSet: set)
      #expect(packed.steps == direct.steps)
      #expect(try InferenceEngine(packed, threads: 2).run(input) == expected)
    }
    let opened = try InferencePlan(model: folder("m.muxnet"))
    #expect(opened.instructionSet == .current)
  }

  @Test("The file outlives its removal and its model while a plan uses it")
  func lifetime() throws {
    let folder = try TemporaryFolder()
    let network = try network()
    let weights = RandomWeights.archive(network, seed: 4)
    try PackedModel.write(network, weights: weights, to: folder("m.muxnet"))
    let plan = try InferencePlan(model: folder("m.muxnet"))
    // Replacing a file by renaming leaves mappings of the old one intact.
    try PackedModel.write(
      network, weights: RandomWeights.archive(network, seed: 5), to: folder("m.muxnet"))
    let input = pixels(3 * 64 * 64, seed: 2)
    let expected = try InferenceEngine(InferencePlan(network, weights: weights)).run(input)
    #expect(try InferenceEngine(plan).run(input) == expected)
    let other = try InferenceEngine(InferencePlan(model: folder("m.muxnet"))).run(input)
    #expect(other != expected)
  }

  @Test("Classes, preparation and metadata come back; the plan has them too")
  func description() throws {
    let folder = try TemporaryFolder()
    let network = try network()
    let names = ["cat", "dog", "Öl “x”", "", "日本", "a\nb"]
    let pipeline = ImagePipeline(
      transforms: [.resize(Resize(size: 64, interpolation: .bicubic))], channelOrder: .bgr,
      mean: [0.1, 0.2, 0.3], standardDeviation: [1, 2, 3])
    try PackedModel.write(
      network, weights: RandomWeights.archive(network, seed: 1), classNames: names,
      pipeline: pipeline, metadata: ["by": "a test"], to: folder("m.muxnet"))
    let model = try PackedModel(contentsOf: folder("m.muxnet"))
    #expect(model.classNames == names && model.metadata == ["by": "a test"])
    let plan = try InferencePlan(model)
    #expect(model.pipeline == pipeline)
    #expect(plan.classNames == names && plan.pipeline == pipeline)
  }

  @Test("Files for one width of vectors are smaller, run where they can, and say where not")
  func lanes() throws {
    let folder = try TemporaryFolder()
    let network = try network()
    let weights = RandomWeights.archive(network, seed: 1)
    try PackedModel.write(network, weights: weights, to: folder("all"))
    try PackedModel.write(network, weights: weights, lanes: [8], to: folder("eight"))
    func size(_ name: String) throws -> Int {
      try Data(contentsOf: URL(fileURLWithPath: folder(name))).count
    }
    let model = try PackedModel(contentsOf: folder("eight"))
    #expect(model.lanes == [8])
    if PackedModel.possibleLanes.count > 1 {
      #expect(try size("eight") * 10 < size("all") * 6)
    }
    // Every processor has kernels for eight lanes.
    let input = pixels(3 * 64 * 64, seed: 2)
    let plan = try InferencePlan(model)
    #expect(plan.instructionSet != .avx512)
    let expected = try InferenceEngine(
      InferencePlan(network, weights: weights, instructionSet: plan.instructionSet)
    ).run(input)
    #expect(try InferenceEngine(plan).run(input) == expected)
    if InstructionSet.avx512.isAvailable {
      let error = #expect(throws: RuntimeError.self) {
        try InferencePlan(model, instructionSet: .avx512)
      }
      #expect(error?.description.contains("has no weights for 'avx512' kernels") == true)
    }
    #expect(throws: RuntimeError.lanes([5], possible: PackedModel.possibleLanes)) {
      try PackedModel.write(network, weights: weights, lanes: [5], to: folder("five"))
    }
  }

  @Test("Other image sizes work, also where the head has one pixel (more in PackedSizeTests)")
  func otherSizes() throws {
    let folder = try TemporaryFolder()
    let network = try network()
    let weights = RandomWeights.archive(network, seed: 1)
    try PackedModel.write(network, weights: weights, to: folder("m"))
    let model = try PackedModel(contentsOf: folder("m"))
    for size in [ImageSize(96), ImageSize(height: 65, width: 97), ImageSize(32)] {
      let input = pixels(3 * size.height * size.width, seed: 2)
      let expected = try InferenceEngine(
        InferencePlan(network, weights: weights, inputSize: size)
      ).run(input)
      #expect(try InferenceEngine(InferencePlan(model, inputSize: size)).run(input) == expected)
    }
  }

  @Test("Wrong files are one line that says what to do")
  func wrongFiles() throws {
    let folder = try TemporaryFolder()
    let network = try network()
    // With the weights of this processor's vectors alone, so that the last byte is one of those used.
    let bytes = try PackedModel.bytes(
      network, weights: RandomWeights.archive(network, seed: 1),
      lanes: [InstructionSet.current.lanes])
    func failure(_ change: (inout [UInt8]) -> Void) throws -> String {
      var damaged = bytes
      change(&damaged)
      try AtomicFile.write(damaged, to: folder("m.muxnet"))
      let error = #expect(throws: RuntimeError.self) {
        _ = try InferencePlan(PackedModel(contentsOf: folder("m.muxnet")))
      }
      return error?.description ?? ""
    }
    #expect(try failure { $0[0] ^= 1 }.contains("not a packed model; convert the weights to one"))
    #expect(try failure { $0[8] = 5 }.contains("has version 5 of the format"))
    #expect(try failure { $0[70] ^= 4 }.contains("a checksum differs"))
    #expect(try failure { $0[$0.count - 1] ^= 128 }.contains("a checksum differs"))
    #expect(try failure { $0.removeLast() }.contains("cut off"))
    #expect(try failure { $0.append(0) }.contains("cut off or damaged"))
    #expect(try failure { $0 = [] }.contains("not a packed model"))
    let missing = #expect(throws: RuntimeError.self) {
      try PackedModel(contentsOf: folder("missing"))
    }
    #expect(missing?.description.contains("No such file") == true)
    let names = #expect(throws: RuntimeError.self) {
      try PackedModel(
        ByteRegion(
          PackedModel.bytes(
            network, weights: RandomWeights.archive(network, seed: 1), classNames: ["one"])),
        path: "m")
    }
    #expect(names?.description.contains("it names 1 classes for 6 outputs") == true)
  }
}
