// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXStudies
import MUXStudyTestSupport
import MUXTestSupport
import Testing

@Suite(
  "muxnet search: what evaluates a trial, and what it answers", .serialized, .tags(.processes),
  .endsSometime)
struct SearchEvaluationTests {
  @Test("An objective of one's own may follow from the network")
  func costObjective() throws {
    let folder = try TemporaryFolder()
    let program = try Program.run(
      ["search", "run", "demo", "--storage", "a.db", "--space", "digits", "--trials", "6"]
        + ["--evaluate", SearchStudy.evaluation, "--workers", "1", "--json", "--quiet"]
        + ["--objective", "energy:minimize:uJ=2e-3*params+1e-4*madds", "--budget", "b:energy=60"],
      in: folder.path)
    #expect(program.code == 0, "\(program.errors)")
    struct Study: Decodable {
      struct Best: Decodable {
        var objectives: [String: Double]
        var within: Bool
      }
      var best: [Best]
    }
    let best = try JSONDecoder().decode(Study.self, from: Data(program.output.utf8)).best[0]
    let values = best.objectives
    let energy = try #require(values["energy"])
    let expected = 2e-3 * (values["params"] ?? 0) + 1e-4 * (values["madds"] ?? 0)
    #expect(abs(energy - expected) < 1e-9 * expected)
    #expect(best.within == (energy <= 60))
  }

  @Test("A value that is known is not replaced by one that an evaluation prints, which is noted")
  func knownValues() throws {
    let folder = try TemporaryFolder()
    let program = try Program.run(
      ["search", "run", "demo", "--storage", "a.db", "--space", "digits", "--trials", "1"]
        + ["--evaluate", "echo '{\"error\": 7, \"params\": 1}'", "--workers", "1"],
      in: folder.path)
    #expect(program.code == 0, "\(program.errors)")
    let shown = try Program.run(
      ["search", "show", "--storage", "a.db", "--trial", "0", "--json"], in: folder.path)
    struct Shown: Decodable {
      var objectives: [String: Double]
      var attributes: [String: String]
    }
    let trial = try JSONDecoder().decode(Shown.self, from: Data(shown.output.utf8))
    #expect(trial.objectives["error"] == 7)
    #expect(try #require(trial.objectives["params"]) > 1000)
    #expect(trial.attributes["ignored.params"] == "1.0")
  }

  @Test("A worker's own command takes the place of the study's")
  func ownCommand() throws {
    let folder = try TemporaryFolder()
    let storage = StorageURL(.sqlite(path: folder("a.db")))
    let coordinator = StudyCoordinator(try StudyStorage.open(storage, for: .create))
    let study = try coordinator.create(
      "a", try Sample.definition(trials: 2, evaluation: .command(line: "touch stolen; exit 1")))
    let program = try Program.run(
      ["search", "worker", "--storage", "a.db", "--evaluate", "echo '{\"error\": 12}'"],
      in: folder.path)
    #expect(program.code == 0, "\(program.errors)")
    #expect(try coordinator.trials(study).map { $0.objectives?.first } == [12, 12])
    #expect(!FileManager.default.fileExists(atPath: folder("stolen")))
  }

  @Test("Another evaluation is refused for tables, not ignored")
  func tableSettings() throws {
    let folder = try TemporaryFolder()
    let program = try Program.run(
      ["search", "run", "demo", "--storage", "a.db", "--table", "nas-bench-macro:none.json"]
        + ["--evaluate", "true", "--objective", "energy:minimize"], in: folder.path)
    #expect(program.code == 1)
    #expect(program.errors.contains("leave out --evaluate, --objective"), "\(program.errors)")
  }

  private static let table = Shared.folder.appending(path: "data/nas-bench-macro_cifar10.json.gz")
    .path(percentEncoded: false)

  @Test(
    "Limits, objectives and budgets hold for tables too",
    .enabled(
      if: Shared.has("data/nas-bench-macro_cifar10.json.gz"), "\(Shared.absent)"))
  func tableLimits() throws {
    let folder = try TemporaryFolder()
    let arguments = ["search", "run", "--storage", "a.db", "--workers", "1", "--quiet"]
    let table = ["--table", "nas-bench-macro:\(Self.table)", "--trials", "60"]
    let run = try Program.run(
      arguments + ["demo"] + table + ["--objectives", "params,error", "--max-params", "2M"]
        + ["--max-madds", "80M", "--budget", "b:params=1.5M"], in: folder.path)
    #expect(run.code == 0, "\(run.errors)")
    let export = try Program.run(
      ["search", "export", "demo", "--storage", "a.db", "--format", "json"], in: folder.path)
    struct Export: Decodable {
      struct Trial: Decodable { var objectives: [String: Double] }
      var trials: [Trial]
    }
    let trials = try JSONDecoder().decode(Export.self, from: Data(export.output.utf8)).trials
    #expect(trials.count == 60)
    #expect(trials.allSatisfy { $0.objectives["params"] ?? .infinity <= 2e6 })
    #expect(trials.allSatisfy { Set($0.objectives.keys) == ["error", "params"] })
    let best = try Program.run(["search", "best", "demo", "--storage", "a.db"], in: folder.path)
    #expect(best.output.contains("within: params −"), "\(best.output)")
    let bad: [([String], String)] = [
      (
        ["--objectives", "error,latency"], "has no objective 'latency'; it has error, params, madds"
      ),
      (["--max-params", "10"], "keeps params=10; the least is "),
      (["--max-latency", "3"], "has no 'latency'"),
      (["--budget", "b:params=10"], "no network keeps params=10; the least of the space is "),
      (
        ["--target", "params=10,madds=60M", "--target", "b:madds=1G"],
        "target 'b': madds=1000000000 is outside of what the table 'nas-bench-macro' reaches ("
      ),
    ]
    for (words, message) in bad {
      let program = try Program.run(arguments + ["other"] + table + words, in: folder.path)
      #expect(program.code == 1 && program.errorLines.count == 1, "\(program.errors)")
      #expect(program.errors.contains(message), "\(program.errors)")
    }
    let outside = try Program.run(
      ["search", "create", "outside", "--storage", "a.db", "--target", "madds=1G"] + table
        + ["--allow-outside"], in: folder.path)
    #expect(outside.code == 0, "\(outside.errors)")
  }

  @Test("Results that cannot be are failures with the reason")
  func absurdResults() throws {
    let folder = try TemporaryFolder()
    let line =
      "case $MUXNET_TRIAL in 0) v='\"error\": 250';; 1) v='\"error\": -1';;"
      + " 2) v='\"error\": 1, \"params\": -5';; *) v='\"error\": 100';; esac; echo \"{$v}\""
    let program = try Program.run(
      ["search", "run", "demo", "--storage", "a.db", "--space", "digits", "--evaluate", line]
        + ["--trials", "4", "--workers", "1"], in: folder.path)
    #expect(program.code == 0, "\(program.errors)")
    for reason in [
      "trial 0 failed: 'error' is 250.0, not from 0 to 100 percent",
      "trial 1 failed: 'error' is -1.0, not from 0 to 100 percent",
      "trial 2 failed: 'params' is -5.0, below 0", "4/4 trials | 0 running | 3 failed",
    ] {
      #expect(program.errors.contains(reason), "\(program.errors)")
    }
  }

  @Test("Failed trials are shown with their reason, and tried again")
  func failures() throws {
    let folder = try TemporaryFolder()
    let line = "test -e mended || { echo no luck >&2; exit 7; }; echo '{\"error\": 4}'"
    let arguments =
      ["search", "run", "demo", "--storage", "a.db", "--space", "digits", "--evaluate", line]
      + ["--workers", "1", "--trials", "20"]
    let broken = try Program.run(arguments, in: folder.path)
    #expect(broken.code == 1)
    #expect(broken.errorLines.count == 1, "\(broken.errors)")
    #expect(
      broken.errors.contains(
        "all of the first 10 trials of study 'demo' failed, the last one with: the command ended"
          + " with exit code 7: no luck; fix that, then retry the failed trials with"
          + " 'muxnet search retry demo'"))
    let trial = try Program.run(
      ["search", "show", "--trial", "3", "--storage", "a.db"], in: folder.path)
    #expect(trial.output.contains("reason      the command ended with exit code 7: no luck"))
    try folder.write("mended", [])
    let retried = try Program.run(["search", "retry", "--storage", "a.db"], in: folder.path)
    #expect(retried.output == "trials 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 wait for a worker\n")
    let again = try Program.run(arguments, in: folder.path)
    #expect(again.code == 0, "\(again.errors)")
    #expect(again.errors.contains("20/20 trials | 0 running | 0 failed"))
  }

  @Test("An evaluation over its time fails with that reason")
  func timeout() throws {
    let folder = try TemporaryFolder()
    let line = "if [ $MUXNET_TRIAL = 1 ]; then sleep 100; fi; echo '{\"error\": 4}'"
    let program = try Program.run(
      ["search", "run", "demo", "--storage", "a.db", "--space", "digits", "--evaluate", line]
        + ["--trials", "3", "--timeout", "1.5", "--workers", "1"], in: folder.path)
    #expect(program.code == 0, "\(program.errors)")
    #expect(program.errors.contains("trial 1 failed: took longer than 1.5 s"))
    #expect(program.errors.contains("3/3 trials | 0 running | 1 failed"))
  }
}
