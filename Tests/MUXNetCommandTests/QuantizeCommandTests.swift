// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
import MUXImages
import MUXNetworkFiles
import MUXNetworks
import MUXRuntime
import MUXTestSupport
import MUXVision
import MUXWeights
import Testing

@Suite("quantize, and the other commands on its files", .tags(.processes), .endsSometime)
struct QuantizeCommandTests {
  private static let data = [
    "--source", "digits", "--part", "test", "--set", "data.validationFraction=0.1", "--set",
    "data.testFraction=0.1",
  ]

  private func pictures(in folder: TemporaryFolder, count: Int) throws -> String {
    let path = folder("pictures")
    try FileManager.default.createDirectory(
      atPath: "\(path)/below", withIntermediateDirectories: true)
    for number in 0..<count {
      try Image(width: 9, height: 9, color: [UInt8(25 * number), 90, 30])
        .writePNG(to: "\(path)/below/\(number).png")
    }
    return path
  }

  @Test("Blocks are shown by what they lose, and layers are kept by their names")
  func sensitivity() throws {
    let folder = try TemporaryFolder()
    let weights = try DigitsWeights.write(in: folder)
    let options =
      ["--calibration-images", "20", "--held-out-images", "20", "--sensitivity"] + Self.data
    let table = try Muxnet.run(
      ["quantize", weights, folder("q.muxnet"), "--keep", "conv_stem"] + options)
    #expect(table.code == 0, "\(table.errors)")
    #expect(table.output.contains("BLOCK ALONE") && table.output.contains(/blocks\.\d.* dB +\d/))
    #expect(table.errors.contains("in single precision: conv_stem"))
    #expect(!table.output.contains("conv_stem"))
    let wrong = try Muxnet.run(
      ["quantize", weights, folder("r.muxnet"), "--keep", "steam"] + options)
    #expect(wrong.code == 1 && wrong.errorLines.count == 1)
    #expect(wrong.errors.contains("that has weights matches 'steam'"))
  }

  @Test(
    "The file runs in its precision in predict, evaluate and benchmark",
    arguments: ["int8", "bfloat16"])
  func use(precision: String) throws {
    let folder = try TemporaryFolder()
    let weights = try DigitsWeights.write(in: folder)
    let file = folder("q.muxnet")
    let report = try Muxnet.json(
      ["quantize", weights, file, "--precision", precision, "--held-out-images", "50", "--json"]
        + (precision == "int8" ? ["--calibration-images", "30"] : []) + Self.data)
    #expect(report["precision"] as? String == precision)
    #expect(report["calibrationImages"] as? Int == (precision == "int8" ? 30 : 0))
    let agreement = try #require(report["agreement"] as? [String: Any])
    #expect(agreement["images"] as? Int == 50)
    #expect(agreement["sameDecisions"] as? Double ?? 0 > 0.7)
    #expect(agreement["greatestError"] as? Double ?? 0 > 0)

    let scores = try [weights, file].map { path in
      try #require(
        try Muxnet.json(["evaluate", "--weights", path, "--json"] + Self.data)["scores"]
          as? [String: Any])
    }
    #expect(scores[0]["count"] as? Int == scores[1]["count"] as? Int)
    let losses = scores.map { $0["loss"] as? Double ?? 0 }
    #expect(losses[0] != losses[1] && abs(losses[0] - losses[1]) < 0.2 * losses[0], "\(losses)")

    let timed = try Muxnet.json([
      "benchmark", file, "--batch-size", "1", "--threads", "1", "--steps", "1", "--json",
    ])
    let rows = try #require(timed["rows"] as? [[String: Any]])
    #expect(
      rows.compactMap { ($0["setting"] as? [String: Any])?["precision"] as? String } == [precision])
    #expect(timed["firstResultSeconds"] as? Double ?? 0 > 0)
    try Image(width: 20, height: 9, color: [90]).writePNG(to: folder("grey.png"))
    let named = try Muxnet.run(
      ["predict", folder("grey.png"), "--weights", file, "--precision", precision])
    #expect(named.code == 0 && named.output.contains("digit "), "\(named.errors)")
  }

  @Test("Images without classes calibrate and compare, as a table")
  func images() throws {
    let folder = try TemporaryFolder()
    let outcome = try Muxnet.run([
      "quantize", try DigitsWeights.write(in: folder), folder("q.muxnet"), "--images",
      try pictures(in: folder, count: 8),
    ])
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("SAME TOP-1") && outcome.output.contains(" dB"))
    #expect(!outcome.output.contains("TOP-1 FLOAT32") && !outcome.output.contains("float32"))
    #expect(outcome.output.contains("\nint8                   4            4"), "\(outcome.output)")
  }

  @Test("Bad input is one line that says what to do, and nothing is written")
  func badInput() throws {
    let folder = try TemporaryFolder()
    let weights = try DigitsWeights.write(in: folder)
    let pictures = try pictures(in: folder, count: 8)
    try FileManager.default.createDirectory(
      atPath: folder("empty"), withIntermediateDirectories: true)
    let good = try Muxnet.run(
      ["quantize", weights, folder("q.muxnet"), "--images", pictures])
    #expect(good.code == 0, "\(good.errors)")
    let packed = try Muxnet.run(["convert", weights, folder("f.muxnet")])
    #expect(packed.code == 0, "\(packed.errors)")
    let whole = try Data(contentsOf: URL(fileURLWithPath: folder("q.muxnet")))
    try whole.prefix(whole.count * 2 / 3).write(to: URL(fileURLWithPath: folder("cut.muxnet")))
    // The largest file of a folder with one broken image.
    try FileManager.default.copyItem(atPath: pictures, toPath: folder("broken"))
    let victim = folder("broken/below/3.png")
    try Data(contentsOf: URL(fileURLWithPath: victim)).prefix(40)
      .write(to: URL(fileURLWithPath: victim))
    let output = folder("out.muxnet")
    for (arguments, code, expected) in [
      (["quantize", weights, output, "--images", folder("empty")], Int32(1), "no image"),
      (["quantize", weights, output, "--images", folder("absent")], 1, "no such file"),
      (["quantize", weights, output, "--images", folder("broken")], 1, "3.png"),
      (["quantize", weights, output, "--images", pictures + "/below/0.png"], 1, "give more"),
      (["quantize", weights, output], 1, "--images FOLDER"),
      (
        ["quantize", folder("q.muxnet"), output, "--images", pictures], 1, "packed for the runtime"
      ),
      (
        ["quantize", folder("f.muxnet"), output, "--images", pictures], 1, "packed for the runtime"
      ),
      (["quantize", folder("cut.muxnet"), output, "--images", pictures], 1, "cut off"),
      (["quantize", weights, folder("q.muxnet"), "--images", pictures], 1, "--overwrite"),
      (["quantize", weights, output, "--precision", "float32"], 64, "convert --to runtime"),
      (["quantize", weights, output, "--precision", "int4"], 64, "int4"),
      (["quantize", weights, output, "--calibration-images", "0"], 64, "at least 1"),
      (["quantize", weights, output, "--images", pictures, "--data", "x"], 64, "not both"),
      (["predict", pictures, "--weights", folder("cut.muxnet")], 1, "cut off"),
      (["benchmark", folder("cut.muxnet")], 1, "cut off"),
      (["predict", pictures, "--weights", weights, "--precision", "int8"], 1, "muxnet quantize"),
      (
        ["predict", pictures, "--weights", folder("q.muxnet"), "--precision", "float32"], 1,
        "packed for int8, not float32"
      ),
      (
        ["evaluate", "--weights", folder("f.muxnet"), "--precision", "int8"] + Self.data, 1,
        "muxnet quantize --precision int8"
      ),
      (["benchmark", folder("f.muxnet"), "--precision", "bfloat16"], 1, "packed for float32"),
      (
        ["predict", pictures, "--weights", weights, "--engine", "torch", "--precision", "int8"], 64,
        "--engine runtime"
      ),
      (["quantize", weights, output, "--images", pictures, "--threads", "-1"], 64, "--threads"),
    ] {
      let outcome = try Muxnet.run(arguments)
      #expect(outcome.code == code, "\(arguments) \(outcome.errors)")
      #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains(expected), "\(arguments): \(outcome.errors)")
      #expect(!FileManager.default.fileExists(atPath: output))
    }
  }

  @Test("forward runs a quantised file; pixels that are no numbers are refused")
  func forward() throws {
    let folder = try TemporaryFolder()
    let weights = try DigitsWeights.write(in: folder)
    _ = try Muxnet.run(["quantize", weights, folder("q.muxnet")] + Self.data)
    let network = try TrainedWeights(path: weights).network
    try AtomicFile.write(
      String(decoding: NetworkFile.json(network), as: UTF8.self), to: folder("n.json"))
    var values = (0..<2 * 64).map { Float($0 % 17) / 8 - 1 }
    func run(_ shape: [Int]) throws -> Muxnet.Outcome {
      var archive = TensorArchive()
      archive["input"] = ArchivedTensor(values, shape: shape)
      try Safetensors.write(archive, to: folder("in.safetensors"))
      return try Muxnet.run([
        "forward", folder("n.json"), "--weights", folder("q.muxnet"), "--input",
        folder("in.safetensors"), "--output", folder("out.safetensors"), "--engine", "runtime",
      ])
    }
    let good = try run([2, 1, 8, 8])
    #expect(good.code == 0, "\(good.errors)")
    let engine = try InferenceEngine(InferencePlan(model: folder("q.muxnet")))
    let outputs = try #require(try Safetensors.read(folder("out.safetensors"))["output"]).floats
    #expect(outputs == (try engine.run(values, count: 2)))
    try FileManager.default.removeItem(atPath: folder("out.safetensors"))
    values[70] = .nan
    let broken = try run([2, 1, 8, 8])
    #expect(broken.code == 1 && broken.errors.contains("not a number"), "\(broken.errors)")
    values[70] = 0
    let wrong = try run([1, 2, 8, 8])
    #expect(wrong.code == 1 && wrong.errors.contains("takes [N, 1, H, W]"), "\(wrong.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder("out.safetensors")))
  }
}
