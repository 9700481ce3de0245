// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
import MUXImages
import MUXNetworkFiles
import MUXNetworks
import MUXTestSupport
import MUXWeights
import Testing

@Suite("Numbers that no network computes with, at every command", .tags(.processes), .endsSometime)
struct NumberTests {
  private static let data = [
    "--source", "digits", "--part", "test", "--set", "data.validationFraction=0.1", "--set",
    "data.testFraction=0.1",
  ]

  /// Writes the digits' weights with one tensor changed; gives the path and the tensor's name.
  private func weights(
    in folder: TemporaryFolder, _ role: ParameterSpecification.Role, value: Float
  ) throws -> (path: String, name: String) {
    let path = try DigitsWeights.write(in: folder)
    var archive = try Safetensors.read(path)
    let network = try TrainedWeights(path: path).network
    let parameter = try #require(network.parameters.last { $0.role == role })
    var values = try #require(archive[parameter.name]).floats
    values[0] = value
    archive[parameter.name] = ArchivedTensor(values, shape: parameter.shape)
    try Safetensors.write(archive, to: folder("bad.safetensors"))
    return (folder("bad.safetensors"), parameter.name)
  }

  @Test("Weights that are not finite and variances below zero: one line with the tensor, exit 1")
  func badWeights() throws {
    for (role, value) in [
      (ParameterSpecification.Role.convolutionWeight, Float.nan), (.runningVariance, -0.5),
    ] {
      let folder = try TemporaryFolder()
      let (path, name) = try weights(in: folder, role, value: value)
      try Image(width: 8, height: 8, color: [90]).writePNG(to: folder("a.png"))
      try Image(width: 8, height: 8, color: [30]).writePNG(to: folder("b.png"))
      let network = try TrainedWeights(path: path).network
      try AtomicFile.write(
        String(decoding: NetworkFile.json(network), as: UTF8.self), to: folder("n.json"))
      var input = TensorArchive()
      input["input"] = ArchivedTensor(Array(repeating: 0.5, count: 64), shape: [1, 1, 8, 8])
      try Safetensors.write(input, to: folder("in.safetensors"))
      let forward = [
        "forward", folder("n.json"), "--weights", path, "--input", folder("in.safetensors"),
        "--output", folder("out.safetensors"), "--engine",
      ]
      for arguments in Muxnet.engines.map({ forward + [$0] }) + [
        ["convert", path, folder("out.pth")], ["convert", path, folder("out.safetensors")],
        ["convert", path, folder("out.onnx")], ["convert", path, folder("out.muxnet")],
        ["quantize", path, folder("out.muxnet"), "--images", folder.path],
        ["predict", folder("a.png"), "--weights", path],
        ["predict", folder("a.png"), "--weights", path, "--json"],
        ["evaluate", "--weights", path] + Self.data, ["benchmark", path, "--steps", "1"],
      ] {
        let outcome = try Muxnet.run(arguments)
        #expect(outcome.code == 1, "\(arguments) \(outcome.errors)")
        #expect(outcome.output.isEmpty, "\(outcome.output)")
        #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
        #expect(outcome.errors.contains(name) && outcome.errors.contains(path), "\(outcome.errors)")
        #expect(
          try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .allSatisfy { !$0.hasPrefix("out") })
      }
    }
  }

  @Test("Finite weights whose sums overflow: predictions are an error, and JSON has no NaN")
  func overflow() throws {
    let folder = try TemporaryFolder()
    let (path, _) = try weights(in: folder, .linearWeight, value: 1)
    var archive = try Safetensors.read(path)
    let network = try TrainedWeights(path: path).network
    let parameter = try #require(network.parameters.last { $0.role == .linearWeight })
    archive[parameter.name] = ArchivedTensor(
      (0..<parameter.count).map { $0 % 2 == 0 ? 3e38 : -3e38 }, shape: parameter.shape)
    try Safetensors.write(archive, to: path)
    try Image(width: 8, height: 8, color: [90]).writePNG(to: folder("a.png"))
    for arguments in [
      ["predict", folder("a.png"), "--weights", path],
      ["predict", folder("a.png"), "--weights", path, "--json"],
      ["evaluate", "--weights", path, "--json"] + Self.data,
    ] {
      let outcome = try Muxnet.run(arguments)
      #expect(outcome.code == 1 && outcome.output.isEmpty, "\(arguments) \(outcome.output)")
      #expect(outcome.errors.contains("infinite or not a number"), "\(outcome.errors)")
      if arguments[0] == "predict" { #expect(outcome.errors.contains("a.png")) }
    }
  }

  @Test("What 16 bits cannot hold is an error; rows that become 0 are a warning")
  func narrowing() throws {
    let folder = try TemporaryFolder()
    var archive = TensorArchive()
    archive["a.weight"] = ArchivedTensor([1, 70000, 1e-9, 1e-9], shape: [2, 2])
    try Safetensors.write(archive, to: folder("a.safetensors"))
    let outcome = try Muxnet.run([
      "convert", folder("a.safetensors"), folder("out.safetensors"), "--type", "F16",
    ])
    #expect(outcome.code == 1 && outcome.errorLines.count == 1, "\(outcome.errors)")
    #expect(outcome.errors.contains("“a.weight” has 1 value beyond the range of F16"))
    #expect(!FileManager.default.fileExists(atPath: folder("out.safetensors")))
    archive["a.weight"] = ArchivedTensor([1, 2, 1e-9, 1e-9], shape: [2, 2])
    try Safetensors.write(archive, to: folder("a.safetensors"))
    let small = try Muxnet.run([
      "convert", folder("a.safetensors"), folder("out.safetensors"), "--type", "F16",
    ])
    #expect(small.code == 0, "\(small.errors)")
    #expect(small.errors.contains("warning: ") && small.errors.contains("1 row of “a.weight”"))
  }

  @Test("An input tensor that is not finite is named")
  func input() throws {
    let folder = try TemporaryFolder()
    let path = try DigitsWeights.write(in: folder)
    let network = try TrainedWeights(path: path).network
    try AtomicFile.write(
      String(decoding: NetworkFile.json(network), as: UTF8.self), to: folder("n.json"))
    var archive = TensorArchive()
    archive["input"] = ArchivedTensor(
      (0..<64).map { $0 == 9 ? -.infinity : 0.5 }, shape: [1, 1, 8, 8])
    try Safetensors.write(archive, to: folder("in.safetensors"))
    for engine in Muxnet.engines {
      let outcome = try Muxnet.run([
        "forward", folder("n.json"), "--weights", path, "--input", folder("in.safetensors"),
        "--output", folder("out.safetensors"), "--engine", engine,
      ])
      #expect(outcome.code == 1 && outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("in.safetensors: tensor “input” has 1 of 64 values"))
      #expect(!FileManager.default.fileExists(atPath: folder("out.safetensors")))
    }
  }
}
