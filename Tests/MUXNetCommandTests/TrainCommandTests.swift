// SPDX-License-Identifier: Apache-2.0
import MUXCore

#if TORCH
  import Foundation
  import MUXEvaluation
  import MUXWeights
  import MUXImages
  import MUXVision
  import MUXTestSupport
  import Testing

  @Suite("train, evaluate, predict", .tags(.processes), .endsSometime)
  struct TrainCommandTests {
    @Test("data benchmark times the loader alone, and needs a time")
    func loaderBenchmark() throws {
      let result = try Muxnet.json([
        "data", "benchmark", "--recipe", "digits", "--seconds", "0.2", "--set", "data.workers=1",
        "--json",
      ])
      let images = try #require(result["images"] as? Int)
      let seconds = try #require(result["seconds"] as? Double)
      #expect(images > 0 && seconds > 0)
      #expect(result["workers"] as? Int == 1)
      let usage = try Muxnet.run(["data", "benchmark", "--recipe", "digits", "--seconds", "0"])
      #expect(usage.code == 64)
      let missing = try Muxnet.run([
        "data", "benchmark", "--recipe", "cifar10_scratch", "--data", "/no/such/folder",
      ])
      #expect(missing.code == 1)
      #expect(missing.errors.contains("/no/such/folder"))
    }

    @Test("With --quiet what was left out of the data is said all the same, and nothing else")
    func quietWarnings() throws {
      let folder = try TemporaryFolder()
      let export = ["data", "export", folder("pictures"), "--recipe", "digits", "--limit", "200"]
      #expect(try Muxnet.run(export).code == 0)
      try folder.write("pictures/0/a.heic", [0])
      let outcome = try Muxnet.run(
        [
          "train", "--recipe", "digits", "--data", folder("pictures"), "--source", "folder",
          "--epochs", "1", "--set", "schedule.warmUp.epochs=0", "--output", "runs", "--name", "a",
          "--quiet",
        ], in: folder.path)
      #expect(outcome.code == 0, "\(outcome.errors)")
      #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(
        outcome.errors.hasPrefix(
          "warning: training data: left out 1 file of image formats that are not read (1 .heic)"),
        "\(outcome.errors)")
    }

    @Test("A trained run can be evaluated, used for prediction, and resumed when done")
    func wholeWay() throws {
      let folder = try TemporaryFolder()
      // From another folder than the package's: the recipe is found by name all the same.
      let train = try Muxnet.run(
        [
          "train", "--recipe", "digits", "--epochs", "1", "--output", "runs", "--name", "a",
          "--set", "schedule.warmUp.epochs=0", "--json",
        ], in: folder.path)
      #expect(train.code == 0, "\(train.errors)")
      let result = try #require(
        try JSONSerialization.jsonObject(with: Data(train.output.utf8)) as? [String: Any])
      #expect(result["ending"] as? String == "completed")
      #expect(result["epochs"] as? Int == 1)
      let run = folder("runs/a")
      for name in ["configuration.yaml", "summary.csv", "result.json", "best.safetensors"] {
        #expect(FileManager.default.fileExists(atPath: "\(run)/\(name)"), "\(name)")
      }
      let files = try FileManager.default.contentsOfDirectory(atPath: run)
      #expect(files.count { $0.hasPrefix("events.out.tfevents.") } == 1)

      let evaluation = try Muxnet.json(["evaluate", "--weights", run, "--part", "test", "--json"])
      let scores = try #require(evaluation["scores"] as? [String: Any])
      #expect(scores["count"] as? Int == 359)
      let torch = try Muxnet.json(
        ["evaluate", "--weights", run, "--part", "test", "--engine", "torch", "--json"])
      #expect(torch["confusion"] as? [[Int]] == evaluation["confusion"] as? [[Int]])
      let losses = [evaluation, torch].compactMap {
        ($0["scores"] as? [String: Any])?["loss"] as? Double
      }
      #expect(losses.count == 2 && abs(losses[0] - losses[1]) < 1e-4, "\(losses)")

      try Image(width: 8, height: 8, color: [255]).writePNG(to: folder("blank.png"))
      let prediction = try Muxnet.run(
        ["predict", folder("blank.png"), "--weights", run, "--top", "10", "--json"])
      #expect(prediction.code == 0, "\(prediction.errors)")
      let images = try #require(
        try JSONSerialization.jsonObject(with: Data(prediction.output.utf8)) as? [[String: Any]])
      let guesses = try #require(images.first?["guesses"] as? [[String: Any]])
      let sum = guesses.reduce(0) { $0 + ($1["probability"] as? Double ?? 0) }
      #expect(guesses.count == 10)
      #expect(abs(sum - 1) < 1e-4)

      let resumed = try Muxnet.run(["train", "--resume", run, "--quiet"])
      #expect(resumed.code == 0, "\(resumed.errors)")

      // While somebody trains in it, nobody else goes on with the run or replaces it.
      let lock = try RunLock(run)
      for arguments in [
        ["--resume", run],
        ["--recipe", "digits", "--output", folder("runs"), "--name", "a", "--overwrite"],
      ] {
        let second = try Muxnet.run(["train", "--quiet"] + arguments)
        #expect(second.code == 1 && second.errorLines.count == 1, "\(second.errors)")
        #expect(second.errors.contains("another process is training in"), "\(second.errors)")
      }
      withExtendedLifetime(lock) {}
      #expect(FileManager.default.fileExists(atPath: "\(run)/best.safetensors"))

      // What a resumed run cannot take is refused, not ignored.
      let ignored = try Muxnet.run(["train", "--resume", run, "--epochs", "2", "--set", "seed=1"])
      #expect(ignored.code == 64)
      #expect(ignored.errors.contains("leave out --set"), "\(ignored.errors)")

      let export = ["data", "export", folder("pictures"), "--recipe", "digits", "--limit", "2"]
      #expect(try Muxnet.run(export).code == 0)
      let again = try Muxnet.run(export)
      #expect(again.code == 1 && again.errors.contains("give --overwrite"), "\(again.errors)")
      #expect(try Muxnet.run(export + ["--overwrite"]).code == 0)
    }

    @Test("Layers of settings: recipe, file, environment, options")
    func layers() throws {
      let folder = try TemporaryFolder()
      try AtomicFile.write("epochs: 7\nbatchSize: 8\nseed: 5\n", to: folder("mine.yaml"))
      let outcome = try Muxnet.run(
        [
          "train", "--recipe", "digits", "--config", folder("mine.yaml"), "--seed", "9",
          "--set", "optimizer.learningRate=0.125", "--dry-run",
        ], environment: ["MUXNET_BATCH_SIZE": "16", "MUXNET_SEED": "6"])
      #expect(outcome.code == 0, "\(outcome.errors)")
      let lines = Set(outcome.output.split(separator: "\n").map(String.init))
      for line in [
        "epochs: 7", "batchSize: 16", "seed: 9", "  learningRate: 0.125", "  source: digits",
      ] {
        #expect(lines.contains(line), "\(line)")
      }
    }

    @Test("Wrong settings are one line, name the key and its source, and make no run folder")
    func wrongSettings() throws {
      let folder = try TemporaryFolder()
      try AtomicFile.write("optimizer: {learningrat: 1}", to: folder("bad.yaml"))
      for (arguments, expected) in [
        (["--config", folder("bad.yaml")], "did you mean “optimizer.learningRate”?"),
        (["--recipe", "digit"], "did you mean digits?"),
        (["--set", "epochs=many"], "“epochs” is wrong: a whole number expected, found “many”"),
        (["--set", "optimizer.kind=adam"], "one of sgd, rmspropTensorFlow, rmsprop, adamW"),
        (["--recipe", "digits", "--batch-size", "2000000"], "batchSize"),
        (["--recipe", "digits", "--threads", "3000"], "must lie in 0…1024"),
        (["--recipe", "digits", "--device", "tpu"], "tpu"),
        (["--data", folder("none")], "none"),
        (["--recipe", "digits", "--data", folder("none")], "the digits come with the program"),
        (["--resume", folder("none")], "no checkpoint to resume from"),
      ] {
        let outcome = try Muxnet.run(["train"] + arguments, in: folder.path)
        #expect(outcome.code == 1, "\(arguments)")
        #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
        #expect(outcome.errors.contains(expected), "\(outcome.errors)")
      }
      #expect(!FileManager.default.fileExists(atPath: folder("runs")))
    }

    @Test("Weights alone, broken images and missing files are one line each")
    func wrongPredictions() throws {
      let folder = try TemporaryFolder()
      var archive = TensorArchive()
      archive["x"] = ArchivedTensor([1], shape: [1])
      try Safetensors.write(archive, to: folder("w.safetensors"))
      let weights = ["--weights", folder("w.safetensors")]
      for arguments in [
        ["predict", folder.path] + weights,
        ["predict", folder.path] + weights + ["--model", "muxnet_xs"],
        ["evaluate", "--source", "digits"] + weights,
        ["evaluate", "--source", "digits", "--set", "optimizer.momentum=0"] + weights,
        ["predict", folder.path, "--weights", folder("none.pth")],
      ] {
        let outcome = try Muxnet.run(arguments)
        #expect(outcome.code == 1, "\(arguments)")
        #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
      }
    }
  }
#endif
