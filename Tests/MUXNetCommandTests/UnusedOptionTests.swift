// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTestSupport
import Testing

@Suite("Options that would do nothing are refused", .tags(.processes), .endsSometime)
struct UnusedOptionTests {
  /// Each is one line that names the option; 64 where the words alone tell, 1 where files do.
  private func check(
    _ cases: [(words: [String], code: Int32, expected: String)],
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    for (words, code, expected) in cases {
      let outcome = try Muxnet.run(words)
      #expect(outcome.code == code, "\(words): \(outcome.errors)", sourceLocation: location)
      #expect(outcome.errorLines.count == 1, "\(outcome.errors)", sourceLocation: location)
      #expect(
        outcome.errors.contains(expected), "\(words): \(outcome.errors)", sourceLocation: location)
    }
  }

  @Test("--key is for checkpoints of PyTorch")
  func keys() throws {
    let folder = try TemporaryFolder()
    let weights = try DigitsWeights.write(in: folder)
    let packed = folder("p.muxnet"), output = folder("out.json")
    #expect(try Muxnet.run(["convert", weights, packed]).code == 0)
    try check([
      (
        ["predict", folder.path, "--weights", weights, "--key", "ema"], 1, "“ema” is for a PyTorch"
      ),
      (["predict", folder.path, "--weights", packed, "--key", "ema"], 1, "a packed file"),
      (
        ["evaluate", "--weights", weights, "--data", folder.path, "--key", "ema"], 1,
        "a safetensors"
      ),
      (["quantize", weights, output, "--images", folder.path, "--key", "ema"], 1, "a safetensors"),
      (["convert", packed, output, "--key", "ema"], 1, "a packed file"),
      (["convert", "muxnet_digits", output, "--key", "ema"], 1, "a network, which has no keys"),
      (["convert", "muxnet_digits", folder("a.yaml"), "--blocks", "--key", "ema"], 64, "--key"),
    ])
    #expect(!FileManager.default.fileExists(atPath: output))
  }

  @Test("Those of weights, images, timings and pictures")
  func networks() throws {
    let folder = try TemporaryFolder()
    let weights = try DigitsWeights.write(in: folder)
    let output = folder("out.muxnet")
    try check([
      (
        ["quantize", weights, output, "--precision", "bfloat16", "--calibration-images", "9"], 64,
        "bfloat16 needs no calibration; leave out --calibration-images"
      ),
      (
        [
          "quantize", weights, output, "--images", folder.path, "--part", "test", "--batch-size",
          "2",
        ],
        64, "leave out --part, --batch-size"
      ),
      (["convert", weights, output, "--classes", "3"], 64, "leave out --classes"),
      (["predict", folder.path, "--weights", weights, "--show", "--json"], 64, "--show"),
      (["describe", "muxnet_digits", "--plan", "--blocks"], 64, "leave out --blocks"),
      (["benchmark", "muxnet_digits", "--serve", "--steps", "3"], 64, "leave out --steps"),
      (
        ["benchmark", "muxnet_digits", "--post-processing", "--threads", "2"], 64,
        "leave out --threads"
      ),
      (
        ["benchmark", "muxnet_digits", "--engine", "torch", "--profile"], 64, "leave out --profile"
      ),
      (["reproduce", "table3", "--runs", "0"], 64, "only table1 has latencies"),
    ])
    #expect(!FileManager.default.fileExists(atPath: output))
  }

  @Test("Those of searches and their storages")
  func searches() throws {
    let folder = try TemporaryFolder()
    let storage = ["--storage", folder("s.db")]
    try check([
      (["search", "space", "digits", "--yaml", "--seed", "1"], 64, "leave out --seed"),
      (
        ["search", "create", "a", "--space", "digits", "--algorithm", "local", "--population", "9"]
          + storage, 64, "local keeps no networks; leave out --population"
      ),
      (
        ["search", "create", "a", "--space", "digits", "--allow-outside"] + storage, 64,
        "leave out --allow-outside"
      ),
      (
        ["search", "create", "a", "--space", "digits", "--objectives", "params,madds"]
          + ["--error-scale", "9"] + storage, 64, "leave out --error-scale"
      ),
      (["search", "list", "--ask-password"] + storage, 1, "has no password"),
      (
        ["search", "benchmark", "--data", "x", "--goal", "early-stopping", "--rivals", "y"], 64,
        "leave out --rivals"
      ),
      (
        ["search", "benchmark", "--data", "x", "--goal", "early-stopping", "--algorithms"]
          + ["guided-blind"], 1, "'guided-blind' knows no costs"
      ),
    ])
    #expect(!FileManager.default.fileExists(atPath: folder("s.db")))
  }

  @Test("Default boxes for images without any are said to do nothing")
  func boxes() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder("data/a"), withIntermediateDirectories: true)
    try Data("P6\n1 1\n255\nabc".utf8).write(to: URL(fileURLWithPath: folder("data/a/1.ppm")))
    let outcome = try Muxnet.run(["data", "check", folder("data"), "--letterbox"])
    #expect(outcome.errors.contains("there are no boxes for --letterbox"), "\(outcome.errors)")
  }

  #if TORCH
    @Test("Those of trainings that do not take place, and of super-networks")
    func trainings() throws {
      let recipe = ["--recipe", "digits"]
      try check([
        (["train", "--dry-run", "--json"] + recipe, 64, "leave out --json"),
        (
          ["train", "--find-rate", "a", "--processes", "2", "--epochs", "3"] + recipe, 64,
          "leave out --processes, --epochs"
        ),
        (
          ["data", "benchmark", "--epochs", "3", "--overwrite"] + recipe, 64,
          "leave out --epochs, --overwrite"
        ),
      ])
    }
  #endif
}
