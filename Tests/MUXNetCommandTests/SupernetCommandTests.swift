// SPDX-License-Identifier: Apache-2.0
import MUXTestSupport
import Testing

#if TORCH
  import Foundation
  import MUXNetworkFiles

  @Suite("muxnet search supernet", .serialized, .tags(.processes), .endsSometime, .onWaitingThreads)
  struct SupernetCommandTests {
    private static let training = [
      "search", "supernet", "train", "digits", "--recipe", "digits_supernet", "--epochs", "3",
      "--set", "schedule.warmUp.epochs=1", "--output", "runs", "--name", "super", "--quiet",
    ]

    private func run(_ arguments: [String], in folder: TemporaryFolder) throws -> Program {
      try Program.run(arguments, in: folder.path)
    }

    @Test("from the training to a fine-tuned network, with workers that share the weights")
    func wholeWay() throws {
      let folder = try TemporaryFolder()
      let trained = try run(Self.training, in: folder)
      #expect(trained.code == 0, "\(trained.errors)")
      #expect(trained.output.contains("runs/super/"))

      let drawn = try run(
        [
          "search", "supernet", "evaluate", "runs/super", "--random", "3", "--madds", "50k,400k",
          "--networks", "drawn",
        ], in: folder)
      #expect(drawn.code == 0, "\(drawn.errors)")
      let lines = drawn.output.split(separator: "\n")
      #expect(lines.first == "genome,params,madds,error,error_unmeasured,seconds")
      #expect(lines.count == 4)
      for line in lines.dropFirst() {
        let madds = try #require(Int(line.split(separator: ",")[2]))
        #expect((50_000...400_000).contains(madds))
      }
      let outside = try run(
        ["search", "supernet", "evaluate", "runs/super", "--random", "3", "--madds", "500M,1G"],
        in: folder)
      #expect(
        outside.code == 1 && outside.errors.contains("they have 25056 to"), "\(outside.errors)")
      // By file and by its choices it is the same network; what is broken is named, the others go on.
      let genome = String(try #require(lines.last?.split(separator: ",").first))
      let again = try run(
        [
          "search", "supernet", "evaluate", "runs/super", "drawn/drawn-3.yaml", "nowhere.yaml",
          genome,
        ], in: folder)
      #expect(again.code == 1)
      #expect(again.errors.contains("nowhere.yaml") && again.errors.contains("1 network was not"))
      let errors = again.output.split(separator: "\n").dropFirst().map {
        $0.split(separator: ",")[3]
      }
      #expect(errors.count == 2 && errors[0] == errors[1])

      let search = try run(
        [
          "search", "run", "quick", "--storage", "a.db", "--supernet", "runs/super", "--trials",
          "20", "--workers", "2", "--algorithm", "moead", "--budget",
          "small:params=5k,madds=100k", "--quiet",
        ], in: folder)
      #expect(search.code == 0, "\(search.errors)")
      let same = try run(
        [
          "search", "run", "quick", "--storage", "a.db", "--supernet", "runs/super", "--trials",
          "22", "--workers", "1", "--algorithm", "moead", "--budget",
          "small:params=5k,madds=100k", "--quiet",
        ], in: folder)
      #expect(same.code == 0, "\(same.errors)")
      let shown = try run(["search", "show", "quick", "--storage", "a.db"], in: folder)
      #expect(shown.output.contains("evaluation  super-network"), "\(shown.output)")

      let extract = [
        "search", "supernet", "extract", "runs/super", "--study", "quick", "--trial", "7",
        "--storage", "a.db", "--output", "best.safetensors", "--name", "best",
      ]
      let extracted = try run(extract, in: folder)
      #expect(extracted.code == 0, "\(extracted.errors)")
      #expect(extracted.output == "best.safetensors\n")
      #expect(try NetworkFile.architecture(folder("best.yaml")).name == "best")
      let twice = try run(extract, in: folder)
      #expect(twice.code == 1 && twice.errors.contains("best.safetensors"))
      let tuned = try run(
        [
          "train", "--recipe", "digits_search", "--epochs", "2", "--model", "best.yaml",
          "--initial-weights", "best.safetensors", "--output", "runs", "--name", "tuned",
        ], in: folder)
      #expect(tuned.code == 0, "\(tuned.errors)")
      #expect(tuned.errors.contains("initial weights from best.safetensors"))

      // The same run goes on, for more epochs; a study that was made with it notices.
      let longer = try run(
        ["train", "--resume", "runs/super", "--epochs", "4", "--quiet"], in: folder)
      #expect(longer.code == 0, "\(longer.errors)")
      let stale = try run(
        [
          "search", "run", "quick", "--storage", "a.db", "--trials", "24", "--workers", "1",
          "--quiet",
        ], in: folder)
      // Nor is a trial of the study taken out of weights by which it was not judged.
      let mixed = try run(extract + ["--overwrite"], in: folder)
      #expect(mixed.code == 1 && mixed.errors.contains("other weights"), "\(mixed.errors)")
      let show = try run(
        ["search", "show", "quick", "--storage", "a.db", "--trial", "23"], in: folder)
      #expect(
        "\(stale.errors)\(show.output)".contains("create a new study with it"),
        "\(stale.code): \(stale.errors) \(show.output)")
    }

    @Test(
      "it excludes other evaluations",
      arguments: [
        ["--evaluate", "true"], ["--recipe", "digits_search"], ["--set", "epochs=2"],
        ["--data", "."], ["--table", "nas-bench-macro:x"], ["--prune"],
      ])
    func exclusions(options: [String]) throws {
      let folder = try TemporaryFolder()
      let program = try run(
        ["search", "run", "a", "--storage", "a.db", "--supernet", "runs/super"] + options,
        in: folder)
      #expect(program.code == 64, "\(program.errors)")
      #expect(program.errors.contains(options[0]), "\(program.errors)")
    }

    @Test("what is no super-network, or asks for nothing, is refused in one line")
    func refused() throws {
      let folder = try TemporaryFolder()
      for arguments in [
        ["search", "run", "a", "--storage", "a.db", "--supernet", "nothing"],
        ["search", "supernet", "evaluate", "nothing", "--random", "1"],
        ["search", "supernet", "train", "nowhere", "--recipe", "digits_supernet"],
      ] {
        let program = try run(arguments, in: folder)
        #expect(program.code == 1, "\(arguments): \(program.errors)")
        #expect(program.errorLines.count == 1, "\(program.errors)")
      }
      for arguments in [
        ["evaluate", "runs/super"], ["evaluate", "runs/super", "--random", "-1"],
        ["evaluate", "runs/super", "--random", "2", "--statistics-images", "0"],
        ["extract", "runs/super", "--output", "a.safetensors"],
        ["extract", "runs/super", "1-2", "--output", "a.txt"],
        ["train", "digits", "--recipe", "digits_supernet", "--model", "muxnet_m"],
      ] {
        #expect(
          try run(["search", "supernet"] + arguments, in: folder).code == 64, "\(arguments)")
      }
    }

    @Test("Every command has help with an example", arguments: ["train", "evaluate", "extract"])
    func help(command: String) throws {
      let folder = try TemporaryFolder()
      let help = try run(["search", "supernet", command, "--help"], in: folder)
      #expect(help.code == 0)
      #expect(help.output.contains("EXAMPLES\n  muxnet search supernet \(command)"))
    }
  }
#endif
