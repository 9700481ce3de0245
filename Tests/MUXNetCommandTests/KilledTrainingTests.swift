// SPDX-License-Identifier: Apache-2.0
import MUXCore

#if TORCH
  import Foundation
  import MUXTestSupport
  import Testing

  #if canImport(Darwin)
    import Darwin
  #elseif canImport(Glibc)
    import Glibc
  #endif

  /// Kills at any moment, also while a checkpoint is being written; the tests of the trainer kill at chosen
  /// ones. It takes minutes, so only scripts/release-check asks for it.
  @Suite(
    "Training survives its processes", .serialized, .enabled(if: Repeats.factor > 1),
    .tags(.processes), .endsSometime, .onWaitingThreads)
  struct KilledTrainingTests {
    @Test("A run that is killed again and again ends as one that never was, bit for bit")
    func kills() throws {
      let folder = try TemporaryFolder()
      func train(_ name: String) throws -> Program {
        let path = folder(name)
        // Before the first checkpoint there is nothing to go on with.
        let hasBegun =
          try FileManager.default.fileExists(atPath: path)
          && !FileManager.default.contentsOfDirectory(atPath: "\(path)/checkpoints")
            .filter { $0.hasPrefix("step-") }.isEmpty
        if hasBegun { return try Program(["train", "--resume", path, "--quiet"], in: folder.path) }
        try? FileManager.default.removeItem(atPath: path)
        return try Program(
          [
            "train", "--recipe", "digits", "--epochs", "8", "--output", folder.path, "--name", name,
            "--threads", "1", "--quiet", "--set", "checkpoints.everySteps=2",
          ], in: folder.path)
      }
      let start = ContinuousClock.now
      let whole = try train("whole")
      whole.wait()
      #expect(whole.code == 0, "\(whole.errors)")
      let seconds = Seconds.since(start)
      var random = RandomStream(seed: 7, purpose: .init(rawValue: 7))
      var kills = 0
      while kills < 4 * Repeats.factor {
        let program = try train("killed")
        // The run gets on by a part at a time, and is done after some.
        let pause = seconds * (0.05 + 0.2 * Double(random.next() >> 40) / Double(1 << 24))
        usleep(UInt32(pause * 1e6))
        guard program.isRunning else {
          #expect(program.code == 0, "\(program.errors)")
          try? FileManager.default.removeItem(atPath: folder("killed"))
          continue
        }
        program.send(SIGKILL)
        program.wait()
        kills += 1
      }
      let last = try train("killed")
      last.wait()
      #expect(last.code == 0, "\(last.errors)")
      for file in ["last.safetensors", "best.safetensors"] {
        #expect(
          try Data(contentsOf: URL(filePath: folder("killed/\(file)")))
            == Data(contentsOf: URL(filePath: folder("whole/\(file)"))), "\(file)")
      }
      let left = try FileManager.default.contentsOfDirectory(atPath: folder("killed/checkpoints"))
      #expect(left.allSatisfy { !$0.hasPrefix(".partial") }, "\(left)")
    }
  }
#endif
