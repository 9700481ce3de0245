// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import Foundation
  import MUXTestSupport
  import MUXWeights
  import Testing

  #if canImport(Darwin)
    import Darwin
  #elseif canImport(Glibc)
    import Glibc
  #endif

  @Suite(
    "Training in several processes", .serialized, .tags(.processes), .endsSometime,
    .onWaitingThreads)
  struct SeveralProcessesTests {
    private let folder: TemporaryFolder
    /// For what programs print.
    private let scratch: TemporaryFolder

    init() throws {
      folder = try TemporaryFolder()
      scratch = try TemporaryFolder()
    }

    /// A command line that trains a small network on the digits.
    private func words(_ name: String, _ processes: Int? = 2, _ more: [String] = []) -> [String] {
      [
        "train", "--recipe", "digits", "--epochs", "2", "--batch-size", "256", "--threads", "1",
        "--output", folder.path, "--name", name, "--set", "checkpoints.everySteps=1", "--set",
        "output.tensorBoard=false",
      ] + (processes.map { ["--processes", "\($0)"] } ?? []) + more
    }

    private func weights(_ name: String) throws -> Data {
      try Data(contentsOf: URL(filePath: folder("\(name)/last.safetensors")))
    }

    @Test("Two processes write one run, twice the same bit for bit, and speak with one voice")
    func twice() throws {
      for name in ["a", "b"] {
        let outcome = try Muxnet.run(words(name), in: folder.path)
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(outcome.output == "\(folder.path)/\(name)/best.safetensors\n")
        #expect(outcome.errorLines.count { $0.contains("training images") } <= 1)
      }
      #expect(try weights("a") == weights("b"))
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["a", "b"])
    }

    @Test("Two processes train the same networks of a space, and give the shared weights of one")
    func supernet() throws {
      let more = [
        "--set", "supernet.space=digits", "--set", "distributed.synchronizedNorms=true",
        "--max-steps", "3", "--quiet",
      ]
      for (name, processes) in [("one", nil), ("two", 2)] as [(String, Int?)] {
        let outcome = try Muxnet.run(words(name, processes, more), in: folder.path)
        #expect(outcome.code == 0, "\(outcome.errors)")
      }
      let one = try Safetensors.read(folder("one/supernet.safetensors"))
      let two = try Safetensors.read(folder("two/supernet.safetensors"))
      #expect(one.names.count > 100 && one.names == two.names)
      // Batch norms of half of the images alone change some by 0.018; equal networks leave 0.0002.
      for name in one.names {
        let (a, b) = (try #require(one[name]).floats, try #require(two[name]).floats)
        #expect(zip(a, b).allSatisfy { abs($0 - $1) < 2e-3 }, "\(name)")
      }
    }

    @Test(
      "The launcher's variables are those of torchrun, and one process without them trains alone")
    func variables() throws {
      let alone = try Muxnet.run(
        words("alone", nil, ["--max-steps", "1"]), in: folder.path,
        environment: ["RANK": "0", "WORLD_SIZE": "1"])
      #expect(alone.code == 0, "\(alone.errors)")
      let wrong = try Muxnet.run(
        words("wrong", nil), in: folder.path,
        environment: [
          "RANK": "2", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1",
        ])
      #expect(wrong.code == 1 && wrong.errorLines.count == 1 && wrong.errors.contains("RANK"))
      // libtorch would show the stack of its calls before that.
      let nobody = try Muxnet.run(
        words("nobody", nil, ["--set", "distributed.timeout=1"]), in: folder.path,
        environment: [
          "RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1",
        ])
      #expect(nobody.code == 1 && nobody.errorLines.count == 1, "\(nobody.errors)")
      #expect(nobody.errors.contains("cannot reach the others at 127.0.0.1, port 1"))
      let usage = try Muxnet.run(words("usage", 0), in: folder.path)
      #expect(usage.code == 64 && usage.errors.contains("--processes"))
      let lonely = try Muxnet.run(
        words("lonely", nil, ["--restarts", "2"]), in: folder.path)
      #expect(lonely.code == 64)
    }

    @Test(
      "An error of all is told once, is not tried again, and leaves nothing",
      arguments: [
        (["--batch-size", "3"], "at least 2 for each of 2 processes"),
        (["--set", "optimizer.learningRate=-1"], "optimizer.learningRate is -1"),
        (
          ["--set", "distributed.interface=none0"],
          "no such network interface with an address, but"
        ),
      ])
    func error(settings: [String], expected: String) throws {
      let outcome = try Muxnet.run(
        words("none", 2, settings + ["--restarts", "3"]), in: folder.path)
      #expect(outcome.code == 1)
      #expect(outcome.errors.contains(expected))
      #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test(
      "Without a launcher of ours, too, the others are told why one refuses to begin, and do not wait",
      arguments: [
        (0, "optimizer.learningRate=-1", "optimizer.learningRate is -1"),
        // Found before the others are.
        (0, "nothing=1", "unknown key “nothing”"), (1, "nothing=1", "unknown key “nothing”"),
        (1, "model.initialWeights=absent.safetensors", "absent.safetensors"),
      ])
    func refusal(refusing: Int, setting: String, expected: String) throws {
      let port = try FreePort.find()
      let start = ContinuousClock.now
      let programs = try (0..<2).map { rank in
        try Program(
          words("none", nil, rank == refusing ? ["--set", setting] : []), in: scratch.path,
          workingFolder: folder.path,
          environment: [
            "RANK": "\(rank)", "WORLD_SIZE": "2", "LOCAL_RANK": "\(rank)",
            "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)",
          ])
      }
      for program in programs {
        #expect(program.code == 1)
        #expect(program.errors.split(separator: "\n").count == 1, "\(program.errors)")
        #expect(program.errors.contains(expected), "\(program.errors)")
      }
      #expect(
        programs[1 - refusing].errors.hasPrefix(
          "error: process \(refusing) of 2 refuses to begin: "))
      // They would wait for 300 seconds.
      #expect(start.duration(to: .now) < .seconds(150))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test("The one that has failed is named, not one that has noticed it")
    func blame() throws {
      // The first process alone writes, and can write no more than the beginning of a checkpoint.
      let line = words("full", 2, ["--quiet"]).joined(separator: " ")
      let outcome = try Program.run(
        shell: "ulimit -f 100; exec \"$MUXNET\" \(line)", in: folder.path)
      #expect(outcome.code == 1)
      #expect(outcome.errors.contains("cannot write"), "\(outcome.errors)")
      #expect(
        outcome.errors.hasSuffix(
          "error: process 0 of 2 ended with exit code 1; its last output is above\n"),
        "\(outcome.errors)")
    }

    #if os(Linux)
      @Test(
        "One that is killed ends all at once; with restarts the run ends as if nothing had been",
        arguments: [(0, false), (1, true)])
      func killed(rank: Int, restarts: Bool) throws {
        // Whoever waited for it to end would last longer than a test may.
        let patience = ["--set", "distributed.timeout=86400"]
        let undisturbed = try Muxnet.run(words("whole", 2, patience), in: folder.path)
        #expect(undisturbed.code == 0, "\(undisturbed.errors)")
        let mark = UUID().uuidString
        let program = try Program(
          words("killed", 2, patience + (restarts ? ["--restarts", "1"] : [])), in: folder.path,
          environment: ["TEST_MARK": mark])
        // After the first checkpoint.
        while program.isRunning,
          (try? FileManager.default.contentsOfDirectory(atPath: folder("killed/checkpoints")))?
            .contains(where: { $0.hasPrefix("step-") }) != true
        { usleep(5000) }
        let victim = try #require(Marked.processes(mark)[rank])
        #expect(kill(victim, SIGKILL) == 0)
        program.wait()
        if restarts {
          #expect(program.code == 0, "\(program.errors)")
          #expect(program.errors.contains("process \(rank) of 2 was ended by signal 9"))
          #expect(try weights("killed") == weights("whole"))
        } else {
          #expect(program.code == 1, "\(program.errors)")
          #expect(program.errors.contains("has lost another one"))
          #expect(program.errors.contains("error: process \(rank) of 2 was ended by signal 9"))
        }
        #expect(Marked.processes(mark).isEmpty)
      }

      @Test("Where the launcher is killed, its processes end")
      func launcherKilled() throws {
        let mark = UUID().uuidString
        let program = try Program(
          words("left", 2, ["--epochs", "1000"]), in: folder.path, environment: ["TEST_MARK": mark])
        while program.isRunning, Marked.processes(mark).count < 2 { usleep(20_000) }
        program.send(SIGKILL)
        program.wait()
        for _ in 0..<3000 where !Marked.processes(mark).isEmpty { usleep(20_000) }
        #expect(Marked.processes(mark).isEmpty)
      }
    #endif
  }
#endif
