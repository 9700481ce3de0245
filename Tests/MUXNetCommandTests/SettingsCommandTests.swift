// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import Foundation
  import MUXTestSupport
  import Testing

  @Suite("settings, recipes and dry runs", .tags(.processes), .endsSometime)
  struct SettingsCommandTests {
    private static let package = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()

    @Test("All settings are listed, also those without a default")
    func overview() throws {
      let outcome = try Muxnet.run(["settings"])
      #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
      for key in [
        "epochs ", "optimizer.clipNorm ", "augmentation.cropSize ", "mixing.endEpoch ",
        "schedule.warmUp.epochs ", "task.threshold ",
      ] {
        #expect(outcome.output.contains("\n\(key)"), "\(key)")
      }
      #expect(outcome.output.contains("(no limit)"))
    }

    @Test("A setting is told about in detail, a group setting by setting")
    func details() throws {
      let one = try Muxnet.run(["settings", "optimizer.kind"])
      #expect(one.output.contains("one of   sgd "))
      #expect(one.output.contains("--set optimizer.kind=sgd"))
      #expect(!one.output.contains("optimizer.momentum"))
      let group = try Muxnet.run(["settings", "schedule"])
      #expect(group.output.contains("schedule.warmUp.from\n"))
      #expect(!group.output.contains("optimizer."))
      let json = try Muxnet.run(["settings", "optimizer.clipNorm", "--json"])
      let list = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]]
      #expect(list?.count == 1)
      #expect(list?.first?["absence"] as? String == "no limit")
      #expect(list?.first?["default"] == nil)
    }

    @Test(
      "An unknown setting is refused with the nearest",
      arguments: [
        ("optimizer.learningrat", "optimizer.learningRate"),
        ("learningrat", "optimizer.learningRate"),
        ("clip", "optimizer.clipNorm, optimizer.clipValue"), ("batchsize", "batchSize"),
        ("zzzzzzzzzz", "there are the groups model, data, augmentation"),
      ])
    func unknown(key: String, expected: String) throws {
      let outcome = try Muxnet.run(["settings", key])
      #expect(outcome.code == 1 && outcome.output.isEmpty)
      #expect(outcome.errorLines.count == 1)
      #expect(outcome.errors.contains(expected), "\(outcome.errors)")
    }

    @Test("The page about training has the tables that the program prints")
    func page() throws {
      let page = try String(
        contentsOf: Self.package.appending(path: "Docs/TRAINING.md"), encoding: .utf8)
      let begin = try #require(page.range(of: "<!-- muxnet settings --markdown -->\n"))
      let end = try #require(page.range(of: "\n<!-- end -->"))
      let printed = try Muxnet.run(["settings", "--markdown"])
      let tables = page[begin.upperBound..<end.lowerBound]
        .trimmingCharacters(in: .newlines)
      #expect(printed.code == 0)
      #expect(
        tables == printed.output.trimmingCharacters(in: .newlines),
        "put what muxnet settings --markdown prints into Docs/TRAINING.md")
    }

    @Test("A dry run needs no data; a run does")
    func dryRun() throws {
      let dry = try Muxnet.run(["train", "--recipe", "cifar10_scratch", "--dry-run"])
      #expect(dry.code == 0, "\(dry.errors)")
      #expect(dry.output.contains("\n  name: muxnet_cifar"))
      #expect(!dry.output.contains("path:"))
      let wrong = try Muxnet.run(
        ["train", "--recipe", "cifar10_scratch", "--dry-run", "--set", "data.workers=0"])
      #expect(wrong.code == 1 && wrong.errors.contains("data.workers"))
      let run = try Muxnet.run(["train", "--recipe", "cifar10_scratch"])
      #expect(run.code == 1 && run.errors.contains("data.path is missing"), "\(run.errors)")
    }

    @Test("The help of train names every recipe and what it is for")
    func recipeHelp() throws {
      let help = try Muxnet.run(["train", "--help"]).output
      let files = try FileManager.default.contentsOfDirectory(
        atPath: Self.package.appending(path: "recipes").path)
      #expect(files.count > 5)
      for file in files { #expect(help.contains("\n  \(file.dropLast(5)) "), "\(file)") }
    }

    @Test("A program that was copied elsewhere trains by a recipe")
    func copiedProgram() throws {
      let folder = try TemporaryFolder()
      try FileManager.default.createDirectory(
        atPath: folder("bin"), withIntermediateDirectories: true)
      let copy = folder("bin/muxnet")
      // A copy of a debug build is large; the links of the file are what matters, not its name.
      try FileManager.default.copyItem(atPath: Muxnet.program.path, toPath: copy)
      let process = Process()
      process.executableURL = URL(filePath: copy)
      process.arguments = [
        "train", "--recipe", "digits", "--epochs", "1", "--set", "schedule.warmUp.epochs=0",
        "--quiet",
      ]
      process.currentDirectoryURL = URL(filePath: folder.path)
      process.environment = ProcessInfo.processInfo.environment.filter {
        !$0.key.hasPrefix("MUXNET_")
      }
      let pipe = Pipe()
      process.standardOutput = pipe
      try process.run()
      let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      #expect(String(decoding: output, as: UTF8.self).contains("best.safetensors"))
    }

    @Test("A wrong network is reported before a missing folder, a detector as such")
    func networkFirst() throws {
      for (model, expected) in [
        ("yolov8n", "unknown model 'yolov8n'"), ("mobilnetv3", "mobilenetv3_large_100"),
        ("ssdlite_muxnet_m", "outputs"),
      ] {
        let outcome = try Muxnet.run([
          "train", "--model", model, "--data", "/no/such/folder", "--set", "model.dropout=0.1",
        ])
        #expect(outcome.code == 1 && outcome.errorLines.count == 1)
        #expect(outcome.errors.contains(expected), "\(outcome.errors)")
        #expect(!outcome.errors.contains("no/such"), "\(outcome.errors)")
      }
    }

    @Test("Half precision on the processor is warned of, once; single precision is not")
    func slowPrecision() throws {
      let folder = try TemporaryFolder()
      for precision in ["float32", "bfloat16"] {
        let outcome = try Muxnet.run(
          [
            "train", "--recipe", "digits", "--epochs", "1", "--set", "schedule.warmUp.epochs=0",
            "--set", "precision=\(precision)", "--set", "batchSize=256", "--quiet",
          ], in: folder.path)
        #expect(outcome.code == 0, "\(outcome.errors)")
        let warnings = outcome.errorLines.filter { $0.hasPrefix("warning:") }
        #expect(warnings.count == (precision == "float32" ? 0 : 1), "\(outcome.errors)")
        if precision != "float32" {
          #expect(warnings.first?.contains("float32") == true)
        }
      }
    }

    @Test("A bare --resume goes on with the run that was at work last, or says that there is none")
    func latestRun() throws {
      let folder = try TemporaryFolder()
      let none = try Muxnet.run(["train", "--resume"], in: folder.path)
      #expect(none.code == 1 && none.errors.contains("runs has no checkpoint"), "\(none.errors)")
      for name in ["a", "b"] {
        let train = try Muxnet.run(
          [
            "train", "--recipe", "digits", "--epochs", "1", "--set", "schedule.warmUp.epochs=0",
            "--name", name, "--quiet",
          ], in: folder.path)
        #expect(train.code == 0, "\(train.errors)")
      }
      let resumed = try Muxnet.run(["train", "--resume"], in: folder.path)
      #expect(
        resumed.code == 0 && resumed.errors.contains("going on with runs/b"), "\(resumed.errors)")
      // The folder that a run was put in stays named.
      let named = try Muxnet.run(["train", "--resume", "runs/a", "--quiet"], in: folder.path)
      #expect(named.code == 0 && named.output.contains("runs/a/"))
    }

    @Test("data export has options of its own only")
    func exportHelp() throws {
      let help = try Muxnet.run(["data", "export", "--help"]).output
      for option in ["--epochs", "--device", "--time-budget", "--learning-rate"] {
        #expect(!help.contains(option), "\(option)")
      }
      #expect(help.contains("Replace existing images."))
    }
  }
#endif
