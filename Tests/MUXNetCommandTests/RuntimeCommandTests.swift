// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXEvaluation
import MUXImages
import MUXNetworks
import MUXRuntime
import MUXTestSupport
import MUXVision
import MUXWeights
import Testing

@Suite("predict, evaluate and benchmark in the runtime", .tags(.processes), .endsSometime)
struct RuntimeCommandTests {
  @Test("predict names the classes of the file, and both engines say the same")
  func predict() throws {
    let folder = try TemporaryFolder()
    let weights = try DigitsWeights.write(in: folder)
    try Image(width: 20, height: 9, color: [90]).writePNG(to: folder("grey.png"))
    var probabilities: [[Double]] = []
    for engine in [[]] + Muxnet.engines.map({ ["--engine", $0] }) {
      let outcome = try Muxnet.run(
        ["predict", folder("grey.png"), "--weights", weights, "--top", "10", "--json"] + engine)
      #expect(outcome.code == 0, "\(outcome.errors)")
      let images = try #require(
        try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
      let guesses = try #require(images.first?["guesses"] as? [[String: Any]])
      #expect((guesses.first?["label"] as? String)?.hasPrefix("digit ") == true)
      var own = Array(repeating: 0.0, count: 10)
      for guess in guesses {
        own[try #require(guess["index"] as? Int)] = try #require(guess["probability"] as? Double)
      }
      #expect(abs(own.reduce(0, +) - 1) < 1e-4)
      probabilities.append(own)
    }
    for own in probabilities {
      for (a, b) in zip(own, probabilities[0]) { #expect(abs(a - b) < 1e-4) }
    }
  }

  @Test("Features go into a file, an image a row: the classifier makes the printed classes of them")
  func features() throws {
    let folder = try TemporaryFolder()
    let weights = try DigitsWeights.write(in: folder)
    try Image(width: 20, height: 9, color: [90]).writePNG(to: folder("b.png"))
    try Image(width: 8, height: 8, channels: 1, pixels: (0..<64).map { UInt8($0 * $0 % 251) })
      .writePNG(to: folder("a.png"))
    let file = folder("f.safetensors")
    let words = [
      "predict", folder("a.png"), folder("b.png"), "--weights", weights, "--top", "1", "--json",
      "--features", file,
    ]
    let outcome = try Muxnet.run(words)
    #expect(outcome.code == 0, "\(outcome.errors)")
    let guesses = try JSONDecoder().decode([Guesses].self, from: Data(outcome.output.utf8))
    let (written, trained) = (try Safetensors.read(file), try Safetensors.read(weights))
    let paths = try JSONDecoder().decode(
      [String].self, from: Data(try #require(written.metadata["paths"]).utf8))
    #expect(paths == [folder("a.png"), folder("b.png")])
    let table = try #require(written["features"])
    let matrix = try #require(trained["classifier.weight"]).floats
    let bias = try #require(trained["classifier.bias"]).floats
    let (values, width) = (table.floats, table.shape[1])
    #expect(table.shape[0] == 2 && matrix.count == 10 * width)
    for (row, guess) in guesses.enumerated() {
      let logits = (0..<10).map { output in
        (0..<width).reduce(Double(bias[output])) {
          $0 + Double(matrix[output * width + $1]) * Double(values[row * width + $1])
        }
      }
      let most = try #require(logits.max())
      let share = 1 / logits.reduce(0) { $0 + exp($1 - most) }
      #expect(logits.firstIndex(of: most) == guess.guesses[0].index)
      #expect(abs(share - guess.guesses[0].probability) < 1e-4)
    }
    let again = try Muxnet.run(words)
    #expect(again.code == 1 && again.errors.contains("f.safetensors exists"), "\(again.errors)")
    let views = try Muxnet.run(words + ["--overwrite", "--augment", "flip"])
    #expect(views.code == 64 && views.errors.contains("--augment"))
  }

  private struct Guesses: Decodable {
    struct Guess: Decodable {
      var index: Int
      var probability: Double
    }
    var guesses: [Guess]
  }

  @Test("The weights of a run are a model file for the runtime")
  func weightsOfARun() throws {
    let folder = try TemporaryFolder()
    let path = try DigitsWeights.write(in: folder)
    let archive = try Safetensors.read(path)
    #expect(archive.metadata[ModelFile.networkKey] == nil)
    let metadata = try #require(try WeightsMetadata(archive.metadata, path: path))
    #expect(try ModelFile(contentsOf: path).network == metadata.network)
    let pixels = (0..<64).map { Float($0 % 7) - 3 }
    let opened = try InferenceEngine(InferencePlan(model: path)).run(pixels)
    let plan = try InferencePlan(metadata.network, weights: archive)
    #expect(try opened == InferenceEngine(plan).run(pixels))
  }

  @Test("evaluate counts all images of a part, whatever the number of threads")
  func evaluate() throws {
    let folder = try TemporaryFolder()
    let weights = try DigitsWeights.write(in: folder)
    var results: [String] = []
    for threads in ["1", "2"] {
      let result = try Muxnet.json([
        "evaluate", "--weights", weights, "--source", "digits", "--part", "test", "--threads",
        threads, "--set", "data.validationFraction=0.1", "--set", "data.testFraction=0.1",
        "--json",
      ])
      let scores = try #require(result["scores"] as? [String: Any])
      #expect(scores["count"] as? Int ?? 0 > 100)
      results.append("\(scores["loss"] ?? "") \(result["confusion"] ?? "")")
    }
    #expect(results[0] == results[1])
    let few = try Muxnet.run([
      "evaluate", "--weights", weights, "--source", "digits", "--part", "test", "--set",
      "data.validationFraction=0.1", "--set", "data.testFraction=0.1", "--set", "data.limit=20",
    ])
    #expect(few.output.contains("20 images (test, 20 of "), "\(few.output) \(few.errors)")
    let ignored = try Muxnet.run([
      "evaluate", "--weights", weights, "--source", "digits", "--data", folder.path,
    ])
    #expect(ignored.code == 1 && ignored.errors.contains("have no folder"), "\(ignored.errors)")
    let unknown = try Muxnet.run([
      "evaluate", "--weights", weights, "--source", "digits", "--set", "data.testFracton=0.1",
    ])
    #expect(unknown.code == 1)
    #expect(unknown.errors.contains("did you mean “data.testFraction”?"))
  }

  @Test("benchmark times each batch size with each number of threads, and the plan's steps")
  func benchmark() throws {
    let result = try Muxnet.json([
      "benchmark", "muxnet_xs", "--input-size", "32", "--batch-size", "1", "--batch-size", "3",
      "--steps", "2", "--warm-up", "1", "--threads", "1", "--threads", "2", "--profile", "--json",
    ])
    let rows = try #require(result["rows"] as? [[String: Any]])
    let settings = rows.compactMap { $0["setting"] as? [String: Any] }
    #expect(settings.map { $0["batchSize"] as? Int } == [1, 1, 3, 3])
    #expect(settings.map { $0["threads"] as? Int } == [1, 2, 1, 2])
    #expect(rows.map { $0["runs"] as? Int } == [32, 32, 10, 10])
    for row in rows {
      let minimum = row["minimumSeconds"] as? Double ?? 0
      let median = row["medianSeconds"] as? Double ?? 0
      #expect(minimum > 0 && median >= minimum)
      #expect(row["percentile95Seconds"] as? Double ?? 0 >= median)
    }
    let profiles = try #require(result["profiles"] as? [[String: Any]])
    #expect(profiles.count == 2)
    let steps = try #require(profiles[0]["steps"] as? [[String: Any]])
    let sum = steps.reduce(0) { $0 + ($1["multiplyAdds"] as? Int ?? 0) }
    // Padded windows make the plan's count a little larger than the definition's.
    let defined = try #require(result["multiplyAdds"] as? Int)
    #expect(sum >= defined && sum < defined + defined / 100)
    let text = try Muxnet.run([
      "benchmark", "muxnet_xs", "--input-size", "32", "--batch-size", "1", "--steps", "1",
      "--threads", "1", "--profile",
    ])
    #expect(text.code == 0 && text.output.contains("\nENGINE") && text.output.contains("\ntotal"))
  }

  @Test("benchmark compares precisions, and takes turns with another program")
  func precisions() throws {
    let folder = try TemporaryFolder()
    let written = try Muxnet.run([
      "convert", "muxnet_xs", folder("m.safetensors"), "--random-weights", "--input-size", "32",
    ])
    #expect(written.code == 0, "\(written.errors)")
    let file = try ModelFile(contentsOf: folder("m.safetensors"))
    #expect(file.network.inputSize == ImageSize(32))
    let result = try Muxnet.json(
      ["benchmark", folder("m.safetensors"), "--batch-size", "1", "--threads", "1", "--steps", "1"]
        + Precision.allCases.flatMap { ["--precision", $0.rawValue] } + ["--profile", "--json"])
    let rows = try #require(result["rows"] as? [[String: Any]])
    let names = rows.compactMap { ($0["setting"] as? [String: Any])?["precision"] as? String }
    #expect(names == ["float32", "bfloat16", "int8"])
    let profiles = try #require(result["profiles"] as? [[String: Any]])
    #expect(profiles.map { $0["precision"] as? String } == names)
    let kinds = profiles.map { profile in
      Set((profile["steps"] as? [[String: Any]] ?? []).compactMap { $0["kind"] as? String })
    }
    #expect(kinds.map { $0.contains("pack") } == [false, true, true])

    let served = try Muxnet.run(
      [
        "benchmark", folder("m.safetensors"), "--serve", "--batch-size", "3", "--precision", "int8",
      ],
      input: "1\n4\n")
    #expect(served.code == 0, "\(served.errors)")
    let lines = served.output.split(separator: "\n").map { $0.split(separator: " ") }
    #expect(lines.map(\.count) == [1, 4])
    #expect(lines.joined().allSatisfy { (Double($0) ?? 0) > 0 })
    let wrong = try Muxnet.run(
      ["benchmark", folder("m.safetensors"), "--serve"], input: "many\n")
    #expect(wrong.code == 1 && wrong.errors.contains("number of runs"), "\(wrong.errors)")
    let changed = try Muxnet.run(["benchmark", folder("m.safetensors"), "--classes", "3"])
    #expect(changed.code != 0 && changed.errorLines.count == 1, "\(changed.errors)")
  }

  @Test("A packed model classifies as the weights that it was made of")
  func packed() throws {
    let folder = try TemporaryFolder()
    let weights = try DigitsWeights.write(in: folder)
    try Image(width: 20, height: 9, color: [90]).writePNG(to: folder("grey.png"))
    let converted = try Muxnet.run(["convert", weights, folder("m.muxnet"), "--to", "runtime"])
    #expect(converted.code == 0, "\(converted.errors)")
    let data = [
      "--source", "digits", "--part", "test", "--set", "data.validationFraction=0.1", "--set",
      "data.testFraction=0.1", "--json",
    ]
    var outputs: [String] = []
    for file in [weights, folder("m.muxnet")] {
      let prediction = try Muxnet.run(["predict", folder("grey.png"), "--weights", file, "--json"])
      #expect(prediction.code == 0, "\(prediction.errors)")
      let result = try Muxnet.json(["evaluate", "--weights", file] + data)
      let scores = try #require(result["scores"] as? [String: Any])
      let numbers = ["count", "loss", "top1", "top5"].map { "\(scores[$0] ?? "")" }
      outputs.append("\(prediction.output) \(numbers)")
    }
    #expect(outputs[0] == outputs[1])
    let timed = try Muxnet.json([
      "benchmark", folder("m.muxnet"), "--batch-size", "1", "--threads", "1", "--steps", "1",
      "--json",
    ])
    #expect(timed["firstResultSeconds"] as? Double ?? 0 > 0)
    for (arguments, expected) in [
      (["convert", folder("m.muxnet"), folder("n.muxnet")], "packed for the runtime"),
      (["convert", weights, folder("n.muxnet"), "--lanes", "7"], "choose among"),
      (["convert", folder("none"), folder("n.muxnet")], "none"),
      (
        ["predict", folder("grey.png"), "--weights", folder("m.muxnet"), "--model", "muxnet_m"],
        "leave the network out: no --model"
      ),
      (["benchmark", folder("m.muxnet"), "--classes", "3"], "cannot be changed"),
    ] {
      let outcome = try Muxnet.run(arguments)
      #expect(outcome.code != 0 && outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains(expected), "\(outcome.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder("n.muxnet")))
    }
  }

  #if !TORCH
    @Test("A build without libtorch says so where libtorch is asked for")
    func absent() throws {
      let folder = try TemporaryFolder()
      let weights = try DigitsWeights.write(in: folder)
      for arguments in [
        ["evaluate", "--weights", weights, "--source", "digits", "--engine", "torch"]
          + ["--set", "data.validationFraction=0.1"],
        ["benchmark", "muxnet_xs", "--engine", "torch"],
        ["benchmark", "muxnet_xs", "--train"],
      ] {
        let outcome = try Muxnet.run(arguments)
        #expect(outcome.code == 1)
        #expect(outcome.errorLines.count == 1)
        #expect(outcome.errors.contains("libtorch"), "\(outcome.errors)")
      }
    }
  #endif
}
