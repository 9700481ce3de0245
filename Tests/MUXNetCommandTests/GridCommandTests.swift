// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import Foundation
  import MUXTestSupport
  import Testing

  @Suite("Fixed lists on the command line", .tags(.processes), .endsSometime)
  struct GridCommandTests {
    private func list(_ networks: String, in folder: TemporaryFolder) throws {
      try folder.write("list.yaml", Array("seeds: [1]\nnetworks: {\(networks)}\n".utf8))
    }

    private func run(in folder: TemporaryFolder) throws -> Program {
      try SearchStudy.run(
        [
          "run", "nights", "--grid", "list.yaml", "--recipe", "digits_search", "--set", "epochs=1",
          "--set", "data.limit=128", "--workers", "1", "--quiet",
        ], in: folder)
    }

    @Test(
      "A list is trained but for the network that cannot be, and goes on as it is or not at all")
    func list() throws {
      let folder = try TemporaryFolder()
      try list("good: {}, broken: {model: {name: muxnet_q}}", in: folder)
      let first = try run(in: folder)
      #expect(first.code == 0, "\(first.errors)")
      #expect(
        first.errors.contains("network 'broken' of list.yaml cannot be trained"), "\(first.errors)")
      let shown = try SearchStudy.run(["show"], in: folder)
      #expect(shown.output.contains("a list of 2 networks, each with 1 seed"), "\(shown.output)")
      #expect(shown.output.contains("1 complete, 1 failed"), "\(shown.output)")
      let trial = try SearchStudy.run(["show", "--trial", "0"], in: folder)
      #expect(trial.output.contains("choice      network = broken"), "\(trial.output)")
      #expect(trial.output.contains("muxnet_q"), "\(trial.output)")
      let best = try SearchStudy.run(["best"], in: folder)
      #expect(
        best.output.contains("NETWORK") && best.output.contains("good     1 of 1"), "\(best.output)"
      )
      #expect(best.output.split(separator: "\n").last?.hasPrefix("broken   0 of 1") == true)
      let pareto = try SearchStudy.run(["pareto"], in: folder)
      #expect(pareto.output.contains("good, seed 1"), "\(pareto.output)")
      let report = try SearchStudy.run(["report", "--output", "r.html"], in: folder)
      #expect(report.code == 0, "\(report.errors)")
      try list("good: {}, other: {}", in: folder)
      let other = try run(in: folder)
      #expect(
        other.code == 1 && other.errors.contains("another list of networks"), "\(other.errors)")
    }

    @Test("Figure 8 is trained as a list, drawn, and not trained again")
    func figure8() throws {
      let folder = try TemporaryFolder()
      for (part, count) in [("train", 4), ("test", 2)] {
        for label in 0..<2 {
          for number in 0..<count {
            let pixels = (0..<32 * 32 * 3).map {
              UInt8(truncatingIfNeeded: label * 90 + number * 37 + $0 * (7 + label))
            }
            try folder.write(
              "images/\(part)/\(label)/\(number).ppm", Array("P6\n32 32\n255\n".utf8) + pixels)
          }
        }
      }
      func figure(_ words: [String]) throws -> Program {
        try Program.run(
          [
            "reproduce", "figure8", "--data", "images", "--max-steps", "1", "--workers", "1",
            "--storage", "a.db", "--format", "csv",
          ] + words, in: folder.path)
      }
      let first = try figure(["--seeds", "1"])
      #expect(first.code == 0, "\(first.errors)")
      #expect(first.errors.contains("12/12 trials"), "\(first.errors)")
      let rows = first.output.split(whereSeparator: \.isNewline)
      #expect(rows.count == 13)
      #expect(rows.dropFirst().allSatisfy { $0.contains("measured") }, "\(first.output)")
      let again = try figure(["--seeds", "1"])
      #expect(again.code == 0 && again.output == first.output, "\(again.errors)")
      let other = try figure(["--seeds", "2"])
      #expect(other.code == 1 && other.errors.contains("exists with other settings"))
      let study = try SearchStudy.run(["show", "figure8-check"], in: folder)
      #expect(study.output.contains("12 complete"), "\(study.output)")
    }

    @Test("What is for searches, or for tables, is refused for lists")
    func misplaced() throws {
      let folder = try TemporaryFolder()
      for (words, code, part) in [
        (["search", "run", "a", "--grid", "x", "--space", "digits"], 64, "--space"),
        (["search", "create", "a", "--grid", "x", "--evaluate", "true"], 64, "--evaluate"),
        (["search", "create", "a", "--grid", "x", "--seed", "3"], 64, "--seed"),
        (
          ["search", "create", "a", "--grid", "none.yaml", "--recipe", "digits_search"], 1,
          "none.yaml"
        ),
        (["reproduce", "figure8", "--data", "none", "--only", "a"], 1, "--only is for tables"),
        (["reproduce", "figure8", "--data", "none", "--dry-run"], 1, "none"),
        (["reproduce", "figure8", "--data", "none", "--seeds", "0"], 64, "--seeds"),
        (["reproduce", "figure8", "--workers", "2"], 64, "--workers"),
        (["reproduce", "table3", "--storage", "a.db"], 64, "--storage"),
      ] {
        let outcome = try Program.run(words, in: folder.path)
        #expect(outcome.code == code, "\(words): \(outcome.errors)")
        #expect(
          outcome.errors.contains(part) && outcome.errors.split(separator: "\n").count == 1
            || code == 64, "\(words): \(outcome.errors)")
      }
      // Neither a storage nor anything for one.
      #expect(!FileManager.default.fileExists(atPath: folder("runs")))
    }
  }
#endif
