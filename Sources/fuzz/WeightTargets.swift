// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXImages
import MUXNetworks
import MUXPyTorch
import MUXRuntime
import MUXWeights

/// Networks and weights that the readers of weights begin with.
enum Samples {
  static func network() throws -> Network {
    var builder = NetworkBuilder(name: "tiny", inputSize: ImageSize(8))
    var x = builder.convolution(
      builder.input, "stem", outputChannels: 8, kernelSize: 3, stride: 2)
    x = builder.batchNormalization(x, "bn")
    x = builder.activation(x, "act", .hardSwish)
    x = builder.convolution(x, "dw", outputChannels: 8, kernelSize: 3, groups: 8)
    x = builder.convolution(x, "pw", outputChannels: 12)
    x = builder.convolution(x, "expand", outputChannels: 20)
    x = builder.activation(x, "expand_act", .relu)
    x = builder.convolution(x, "grouped", outputChannels: 20, kernelSize: 3, groups: 10)
    x = builder.squeezeExcitation(x, "se", reducedChannels: 3, activation: .relu)
    x = builder.convolution(x, "project", outputChannels: 12)
    _ = builder.classify(x, classes: 3)
    return try builder.build()
  }

  static func weights() throws -> (network: Network, archive: TensorArchive) {
    let network = try network()
    return (network, RandomWeights.archive(network, seed: 1))
  }

  /// Uses tensors as commands do: checked, narrowed, run.
  static func use(_ archive: TensorArchive) throws {
    try archive.unwrapped.checkValues()
    _ = try archive.convertingFloatingPoint(to: .float16)
    for (_, tensor) in archive { _ = tensor.integers.count }
    let network = try ModelFile.network(of: archive, path: "fuzzed") ?? network()
    try run(InferencePlan(CheckedWeights(archive, for: network)))
  }

  /// Runs a plan whose tensors have not become large.
  static func run(_ plan: InferencePlan) throws {
    guard plan.arenaBytes < 1 << 24, plan.scratchBytes < 1 << 26, plan.inputShape.count < 1 << 20
    else { return }
    _ = try InferenceEngine(plan).run(Array(repeating: 0.5, count: plan.inputShape.count))
  }
}

struct SafetensorsTarget: FuzzTarget {
  let name = "safetensors"
  let words = [
    "\"__metadata__\":{", "\"dtype\":\"F64\"", "\"BF16\"", "\"shape\":[", "\"data_offsets\":[0,0]",
    "9223372036854775807", "\\u0000", "\\ud800",
  ]

  func corpus() throws -> [[UInt8]] {
    let (network, archive) = try Samples.weights()
    var small = TensorArchive(metadata: ["format": "pt"])
    small["a"] = ArchivedTensor([1, 2, 3, 4], shape: [2, 2])
    small["b"] = ArchivedTensor(integers: [7], shape: [])
    small["c"] = ArchivedTensor([0.5], shape: [1]).converted(to: .float16)
    var model = archive
    model.metadata["muxnet.network"] = String(
      decoding: try JSONEncoder().encode(network), as: UTF8.self)
    return try [small, model].map { try Safetensors.bytes(of: $0) }
  }

  func read(_ bytes: [UInt8]) throws {
    try Samples.use(Safetensors.read(ByteRegion(bytes), path: "fuzzed"))
  }
}

struct PyTorchTarget: FuzzTarget {
  let name = "pytorch"
  let words = [
    "ccollections\nOrderedDict\n", "ctorch._utils\n_rebuild_tensor_v2\n", "ctorch\nFloatStorage\n",
    "ctorch\nSize\n", "(", "t", "u", "}", "]", "Q", "R", "2", "0", ")R", "h\u{1}", "q\u{1}",
    "X\u{8}\u{0}\u{0}\u{0}state_di",
  ]

  func corpus() throws -> [[UInt8]] {
    let (_, archive) = try Samples.weights()
    var small = TensorArchive()
    small["a"] = ArchivedTensor([1, 2, 3, 4], shape: [2, 2])
    small["module.b"] = ArchivedTensor(integers: [7], shape: [])
    let folder = FileManager.default.temporaryDirectory
    return try [small, archive].map { archive in
      let path = folder.appendingPathComponent("fuzz-\(UUID().uuidString).pth").path
      defer { try? FileManager.default.removeItem(atPath: path) }
      try PyTorchFile.write(archive, to: path)
      return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }
  }

  func read(_ bytes: [UInt8]) throws {
    // Checksums would give most changes away; right ones let them through to the pickle.
    var bytes = bytes
    Self.repairChecksums(&bytes)
    let file = try PyTorchFile.read(ByteRegion(bytes), path: "fuzzed")
    try Samples.use(file.archive)
  }

  /// Writes the checksum of each entry's bytes into the directory, as far as they are found.
  private static func repairChecksums(_ bytes: inout [UInt8]) {
    func number(_ at: Int, _ width: Int) -> Int? {
      guard at >= 0, at + width <= bytes.count else { return nil }
      return (0..<width).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
    }
    for at in bytes.indices where bytes[at] == 0x50 && number(at, 4) == 0x0201_4b50 {
      guard let size = number(at + 20, 4), let header = number(at + 42, 4),
        let name = number(header + 26, 2), let extra = number(header + 28, 2)
      else { continue }
      let start = header + 30 + name + extra
      guard start <= bytes.count, size <= bytes.count - start, at + 20 <= bytes.count
      else { continue }
      let checksum = bytes[start..<start + size].withUnsafeBytes {
        CyclicRedundancyCheck.zip.checksum($0)
      }
      for byte in 0..<4 {
        bytes[at + 16 + byte] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(byte)))
      }
    }
  }
}

struct PackedTarget: FuzzTarget {
  let name = "packed"
  let words = ["\"nodes\":[", "\"calibration\":", "\"precision\":\"int8\"", "\"classNames\":[]"]

  func corpus() throws -> [[UInt8]] {
    let (network, archive) = try Samples.weights()
    let calibrator = try Calibrator(network, weights: archive)
    try calibrator.add(Array(repeating: 0.5, count: 3 * 64))
    return try Precision.allCases.map { precision in
      try PackedModel.bytes(
        network, weights: archive, classNames: ["a", "b", "c"],
        pipeline: .imageNetEvaluation(size: 8), metadata: ["key": "value"], precision: precision,
        calibration: calibrator.calibration)
    }
  }

  func read(_ bytes: [UInt8]) throws {
    // Half of the inputs get checksums that are right, so that their claims are looked at.
    var bytes = bytes
    if bytes.count % 2 == 0 { PackedModel.seal(&bytes) }
    let model = try PackedModel(ByteRegion(bytes), path: "fuzzed")
    try Samples.run(InferencePlan(model, inputSize: nil, instructionSet: nil, isGuarded: true))
  }
}
