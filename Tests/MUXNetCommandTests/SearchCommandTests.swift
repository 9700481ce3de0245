// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXStudies
import MUXTestSupport
import Testing

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

@Suite("muxnet search", .serialized, .tags(.processes), .endsSometime)
struct SearchCommandTests {
  private static let targets = [
    "--target", "small:params=5k,madds=100k", "--target", "large:params=40k,madds=800k",
  ]
  private static let evaluation =
    "cat >/dev/null; echo \"{\\\"error\\\": $((MUXNET_TRIAL % 17 + 3))}\""

  private func create(_ arguments: [String] = [], in folder: TemporaryFolder) throws -> Program {
    try Program.run(
      ["search", "create", "demo", "--storage", "a.db", "--space", "digits"]
        + ["--evaluate", Self.evaluation] + Self.targets + arguments, in: folder.path)
  }

  private func json(_ arguments: [String], in folder: TemporaryFolder) throws -> Any {
    let program = try Program.run(
      ["search"] + arguments + ["--storage", "a.db", "--json"], in: folder.path)
    #expect(program.code == 0, "\(program.errors)")
    return try JSONSerialization.jsonObject(
      with: Data(program.output.utf8), options: .fragmentsAllowed)
  }

  @Test(
    "However few files may be open, studies are made, or refused in one line, never by a signal",
    arguments: [4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20])
  func fewOpenFiles(limit: Int) throws {
    let folder = try TemporaryFolder()
    let made = try create(["--trials", "1"], in: folder)
    #expect(made.code == 0, "\(made.errors)")
    func run(_ command: String) throws -> Program {
      try Program.run(shell: "ulimit -n \(limit); exec \"$MUXNET\" \(command)", in: folder.path)
    }
    let other = try run("search create b --storage b.db --space digits --evaluate false")
    #expect(other.code == 0 || other.code == 1 && limit < 15, "\(other.code): \(other.errors)")
    for command in ["search run --workers 1", "search worker", "dashboard --port 0"] {
      let program = try run("\(command) --storage a.db")
      #expect(program.code == 1, "\(command): \(program.code), \(program.errors)")
      #expect(program.errorLines.count == 1, "\(program.errors)")
      #expect(program.errors.contains("ulimit -n 1024"), "\(program.errors)")
    }
  }

  @Test(
    "Every command has help with an example",
    arguments: [
      "create", "run", "worker", "list", "show", "pareto", "best", "retry", "export", "delete",
      "space", "ask", "tell", "enqueue", "copy", "edit",
    ])
  func help(command: String) throws {
    let folder = try TemporaryFolder()
    let help = try Program.run(["search", command, "--help"], in: folder.path)
    #expect(help.code == 0)
    #expect(help.output.contains("EXAMPLES\n  muxnet search \(command)"))
  }

  @Test("A study from its making to its deletion")
  func wholeLife() throws {
    let folder = try TemporaryFolder()
    #expect(try create(["--trials", "12", "--attribute", "who=me"], in: folder).code == 0)
    let run = try Program.run(
      ["search", "run", "--storage", "a.db", "--workers", "2"], in: folder.path)
    #expect(run.code == 0, "\(run.errors)")
    #expect(run.errors.contains("generation 1/1 | 12/12 trials | 0 running | 0 failed"))
    #expect(run.errors.contains("  small  g "))
    let list = try #require(try json(["list"], in: folder) as? [[String: Any]])
    #expect(list.count == 1)
    let show = try #require(try json(["show"], in: folder) as? [String: Any])
    #expect((show["trials"] as? [String: Int])?["complete"] == 12)
    #expect(show["attributes"] as? [String: String] == ["who": "me"])
    let front = try #require(try json(["pareto", "demo"], in: folder) as? [[String: Any]])
    #expect(show["front"] as? [Int] == front.compactMap { $0["number"] as? Int })
    let best = try #require(
      try json(["best", "--networks", "found"], in: folder) as? [[String: Any]])
    #expect(best.compactMap { $0["target"] as? String } == ["small", "large"])
    for entry in best {
      // The file describes exactly the network of the trial.
      let target = try #require(entry["target"] as? String)
      let objectives = try #require(entry["objectives"] as? [String: Double])
      let described = try Program.run(
        ["describe", "found/\(target).yaml", "--json"], in: folder.path)
      #expect(described.code == 0, "\(described.errors)")
      let whole = try JSONSerialization.jsonObject(with: Data(described.output.utf8))
      let text = "\(whole)"
      #expect(text.contains("\(Int(objectives["params"] ?? -1))"), "\(text.prefix(400))")
      #expect(text.contains("\(Int(objectives["madds"] ?? -1))"))
    }
    // Any trial's network is to be had, once.
    let trial = try #require(
      try json(["show", "demo", "--trial", "3"], in: folder) as? [String: Any])
    let arguments = [
      "search", "show", "demo", "--trial", "3", "--network", "net3.yaml", "--storage", "a.db",
    ]
    #expect(try Program.run(arguments, in: folder.path).code == 0)
    let third = try Program.run(["describe", "net3.yaml", "--json"], in: folder.path)
    let counts = try JSONSerialization.jsonObject(with: Data(third.output.utf8)) as? [String: Any]
    let objectives = trial["objectives"] as? [String: Double]
    #expect((counts?["parameters"] as? Int).map(Double.init) == objectives?["params"])
    #expect((counts?["multiplyAdds"] as? Int).map(Double.init) == objectives?["madds"])
    let again = try Program.run(arguments, in: folder.path)
    #expect(again.code == 1)
    #expect(again.errors.contains("net3.yaml"))
    let exported = try Program.run(
      ["search", "export", "--storage", "a.db", "--output", "trials.csv"], in: folder.path)
    #expect(exported.code == 0)
    let rows = try String(contentsOfFile: folder("trials.csv"), encoding: .utf8)
      .split(separator: "\r\n")
    #expect(rows.count == 13)
    #expect(rows[0].hasPrefix("number,state,target,error,params,madds,violation"))
    let kept = try Program.run(["search", "delete", "demo", "--storage", "a.db"], in: folder.path)
    #expect(kept.code == 1)
    #expect(kept.errors.contains("12 trials would be removed for good; say --yes"))
    let deleted = try Program.run(
      ["search", "delete", "demo", "--yes", "--storage", "a.db"], in: folder.path)
    #expect(deleted.output == "removed demo with 12 trials\n")
    let empty = try Program.run(["search", "list", "--storage", "a.db"], in: folder.path)
    #expect(empty.output == "no studies\n")
  }

  @Test("Running again does nothing, more trials go on, other settings are refused")
  func goingOn() throws {
    let folder = try TemporaryFolder()
    let arguments =
      ["search", "run", "demo", "--storage", "a.db", "--space", "digits", "--quiet"]
      + ["--evaluate", Self.evaluation, "--workers", "2", "--json"] + Self.targets
    func complete(_ program: Program) throws -> Int? {
      #expect(program.code == 0, "\(program.errors)")
      let value = try JSONSerialization.jsonObject(with: Data(program.output.utf8))
      return ((value as? [String: Any])?["trials"] as? [String: Int])?["complete"]
    }
    try #expect(complete(Program.run(arguments + ["--trials", "5"], in: folder.path)) == 5)
    try #expect(complete(Program.run(arguments + ["--trials", "5"], in: folder.path)) == 5)
    try #expect(complete(Program.run(arguments + ["--trials", "8"], in: folder.path)) == 8)
    let other = try Program.run(arguments + ["--seed", "9"], in: folder.path)
    #expect(other.code == 1)
    #expect(other.errors.contains("study 'demo' exists with other settings: seed 0, not 9;"))
    // Without --space too: what is given and differs is named, in one line.
    let short = ["search", "run", "demo", "--storage", "a.db", "--quiet", "--workers", "1"]
    let cases: [(given: [String], difference: String)] = [
      (["--seed", "99", "--algorithm", "random"], "seed 0, not 99; algorithm guided, not random;"),
      (["--evaluate", "true"], "not 'true';"),
      (["--objectives=error,params"], "objectives error,params,madds, not error,params;"),
      (["--target", "params=6k"], "targets small:madds=100k,params=5k large:"),
      (["--population", "7"], "population 40, not 7;"),
      (["--prune"], "early stopping none, not on;"),
      (["--max-params", "9k"], "max-params without, not 9k;"),
      (["--attribute", "who=me"], "attribute who not set, not me;"),
      (["--error-scale", "10"], "error scale 33.3, not 10.0;"),
    ]
    for (given, difference) in cases {
      let program = try Program.run(short + given, in: folder.path)
      #expect(program.code == 1, "\(given): \(program.errors)")
      #expect(program.errorLines.count == 1, "\(program.errors)")
      #expect(program.errors.contains("exists with other settings: "), "\(program.errors)")
      #expect(program.errors.contains(difference), "\(given): \(program.errors)")
    }
    // What is as it is kept may be said again.
    let same = ["--seed", "0", "--algorithm", "guided", "--evaluate", Self.evaluation]
    let again = try Program.run(short + same + Self.targets, in: folder.path)
    #expect(again.code == 0, "\(again.errors)")
  }

  @Test("Files that exist are replaced with --overwrite only, and a file is no folder")
  func overwriting() throws {
    let folder = try TemporaryFolder()
    #expect(try create(["--trials", "3"], in: folder).code == 0)
    let run = ["search", "run", "--storage", "a.db", "--workers", "1", "--quiet"]
    #expect(try Program.run(run, in: folder.path).code == 0)
    let export = ["search", "export", "--storage", "a.db", "--output", "t.csv"]
    let best = ["search", "best", "--storage", "a.db", "--networks", "found"]
    for (words, file) in [(export, "t.csv"), (best, "found/small.yaml")] {
      #expect(try Program.run(words, in: folder.path).code == 0)
      try folder.write(file, [65])
      let refused = try Program.run(words, in: folder.path)
      #expect(refused.code == 1)
      #expect(refused.errorLines.count == 1, "\(refused.errors)")
      #expect(refused.errors.contains("\(file) exists; choose another place, or overwrite it"))
      try #expect(Data(contentsOf: URL(fileURLWithPath: folder(file))) == Data([65]))
      #expect(try Program.run(words + ["--overwrite"], in: folder.path).code == 0)
      try #expect(Data(contentsOf: URL(fileURLWithPath: folder(file))).count > 1)
    }
    let file = try Program.run(
      ["search", "best", "--storage", "a.db", "--networks", "t.csv"], in: folder.path)
    #expect(file.code == 1)
    #expect(file.errors == "error: cannot write t.csv: it is a file; give a folder\n")
    let place = try Program.run(
      ["search", "export", "--storage", "a.db", "--output", "found"], in: folder.path)
    #expect(place.errors == "error: cannot write found: it is a folder; give a file\n")
  }

  @Test("An objective of one's own may follow from the network")
  func costObjective() throws {
    let folder = try TemporaryFolder()
    let program = try Program.run(
      ["search", "run", "demo", "--storage", "a.db", "--space", "digits", "--trials", "6"]
        + ["--evaluate", Self.evaluation, "--workers", "1", "--json", "--quiet"]
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
    ]
    for (words, message) in bad {
      let program = try Program.run(arguments + ["other"] + table + words, in: folder.path)
      #expect(program.code == 1 && program.errorLines.count == 1, "\(program.errors)")
      #expect(program.errors.contains(message), "\(program.errors)")
    }
  }

  @Test("Ask and tell by hand, with own objectives, notes, reports and bad input")
  func byHand() throws {
    let folder = try TemporaryFolder()
    func search(_ words: [String]) throws -> Program {
      try Program.run(["search"] + words + ["--storage", "a.db"], in: folder.path)
    }
    let made = try search([
      "create", "hand", "--space", "digits", "--evaluate", "false", "--trials", "4", "--prune",
      "--objective", "energy:minimize:mJ", "--objective", "speed:maximize:img/s:50",
      "--budget", "b:energy=3,speed=20",
    ])
    #expect(made.code == 0, "\(made.errors)")
    let asked = try search(["ask", "hand", "--count", "2", "--hold", "2h"])
    #expect(asked.code == 0, "\(asked.errors)")
    let lines = try asked.output.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    #expect(lines.compactMap { $0["trial"] as? Int } == [0, 1])
    #expect((lines[0]["known"] as? [String: Double])?["params"] ?? 0 > 100)
    #expect((lines[0]["architecture"] as? String)?.contains("stages") == true)
    #expect((lines[0]["choices"] as? [String: Any])?.count == 18)
    let cases: [([String], String)] = [
      (["0", "error=5", "energy=2"], "gave no 'speed'"),
      (["0", "error=5", "energy=2", "velocity=9"], "gave no 'speed', but velocity"),
      (["0", "error=high", "energy=2"], "'high' is no number for 'error'"),
      (["0", "error=101", "energy=2", "speed=3"], "'error' is 101.0, not from 0 to 100 percent"),
      (
        ["0", #"{"error": 5, "speed": 3, "energy": {"value": 2, "unit": "J"}}"#],
        "gave 'energy' in J; it is counted in mJ"
      ),
      (["9", "error=5"], "has no trial 9; it has 0 to 1"),
      (["0", "error"], "'error' is not NAME=VALUE"),
    ]
    for (words, message) in cases {
      let program = try search(["tell", "hand"] + words)
      #expect(program.code == 1 && program.errorLines.count == 1, "\(program.errors)")
      #expect(program.errors.contains(message), "\(program.errors)")
    }
    let report = try search([
      "tell", "hand", "0", "--report", "1", "error=50", "energy=2", "speed=9",
    ])
    #expect(report.output == "proceed\n", "\(report.errors)")
    let told = try search([
      "tell", "hand", "0",
      #"{"error": 5, "energy": {"value": 2, "unit": "mJ"}, "speed": 30, "note": "odd", "epochs": 3}"#,
    ])
    #expect(told.code == 0, "\(told.errors)")
    #expect(told.output.contains("energy 2 mJ, speed 30 img/s"), "\(told.output)")
    let again = try search(["tell", "hand", "0", "error=5", "energy=2", "speed=30"])
    #expect(again.code == 1)
    #expect(again.errors.contains("trial 0 of study 'hand' is complete, not running"))
    #expect(try search(["tell", "hand", "1", "--failed", "out of memory"]).code == 0)
    let shown = try search(["show", "hand", "--trial", "0"])
    #expect(shown.output.contains("attribute   note=odd"), "\(shown.output)")
    #expect(shown.output.contains("attribute   epochs=3"))
    #expect(!shown.output.contains("held"))
    #expect(shown.output.contains("within      b"))
    let best = try search(["best", "hand"])
    #expect(best.output.contains("within: energy −33 %, speed +50 %"), "\(best.output)")
    let retried = try search(["retry", "hand"])
    #expect(retried.output == "trials 1 wait for a worker\n")
    #expect(try search(["ask", "hand"]).output.contains("\"trial\":1"))
  }

  @Test("Networks of one's own come first in line, and those outside of the space say which gene")
  func enqueue() throws {
    let folder = try TemporaryFolder()
    func search(_ words: [String]) throws -> Program {
      try Program.run(["search"] + words + ["--storage", "a.db"], in: folder.path)
    }
    #expect(try create(["--trials", "8"], in: folder).code == 0)
    #expect(try search(["run", "demo", "--workers", "1"]).code == 0)
    let made = try search([
      "create", "next", "--space", "digits", "--evaluate", Self.evaluation, "--trials", "5",
    ])
    #expect(made.code == 0, "\(made.errors)")
    #expect(try search(["show", "demo", "--trial", "5", "--network", "n5.yaml"]).code == 0)
    let queued = try search(["enqueue", "next", "demo:7,3", "n5.yaml", "demo:3"])
    #expect(queued.code == 0, "\(queued.errors)")
    #expect(queued.output == "3 networks are next\n")
    #expect(try search(["run", "next", "--workers", "1"]).code == 0)
    func keys(_ study: String) throws -> [String] {
      let export = try search(["export", study, "--format", "json"])
      let whole = try JSONSerialization.jsonObject(with: Data(export.output.utf8)) as? [String: Any]
      let trials = try #require(whole?["trials"] as? [[String: Any]])
      return trials.compactMap { $0["key"] as? String }
    }
    let first = try keys("demo")
    #expect(try Array(keys("next").prefix(3)) == [first[7], first[3], first[5]])
    let known = try search(["enqueue", "next", "demo:7"])
    #expect(known.output == "0 networks are next\n" && known.errors.contains("trials already: 0"))
    let bad: [([String], String)] = [
      (["muxnet_m"], "is not in the search space: 'stem' is 24, not one of"),
      (["[1,0,99]"], "it has 3 genes, not 18"),
      (["[99" + String(repeating: ",0", count: 17) + "]"], "'stem' is 99, not one of 0 to"),
      (["demo:40"], "has no trial 40"), (["[a]"], "is no genome"),
      (["nosuch:1"], "there is no study 'nosuch'"),
    ]
    for (words, message) in bad {
      let program = try search(["enqueue", "next"] + words)
      #expect(program.code == 1 && program.errorLines.count == 1, "\(program.errors)")
      #expect(program.errors.contains(message), "\(program.errors)")
    }
  }

  @Test("Studies are copied, renamed, mended and continued")
  func copies() throws {
    let folder = try TemporaryFolder()
    func search(_ words: [String]) throws -> Program {
      try Program.run(["search"] + words + ["--storage", "a.db"], in: folder.path)
    }
    let made = try search([
      "create", "broken", "--space", "digits", "--evaluate", "wrong-command", "--trials", "12",
    ])
    #expect(made.code == 0)
    #expect(try search(["run", "broken", "--workers", "1"]).code == 1)
    #expect(try search(["show", "broken"]).output.contains("last failure"))
    #expect(
      try search(["edit", "broken", "--evaluate", Self.evaluation, "--rename", "well"]).code == 0)
    #expect(try search(["retry", "well"]).code == 0)
    let run = try search(["run", "well", "--workers", "1"])
    #expect(
      run.code == 0 && run.errors.contains("12/12 trials | 0 running | 0 failed"), "\(run.errors)")
    #expect(try search(["copy", "well", "twin"]).output == "twin\n")
    #expect(try search(["run", "well", "--workers", "1", "--trials", "20", "--quiet"]).code == 0)
    #expect(try search(["run", "twin", "--workers", "1", "--trials", "20", "--quiet"]).code == 0)
    func rows(_ study: String) throws -> [[Substring]] {
      let text = try search(["export", study]).output
      return text.split(whereSeparator: \.isNewline).map { $0.split(separator: ",").suffix(36) }
    }
    #expect(try rows("well") == rows("twin") && rows("well").count == 21)
    // A study under budgets that begins with those results.
    let next = try search([
      "create", "next", "--from", "well", "--space", "digits", "--evaluate", Self.evaluation,
      "--budget", "b:params=10k", "--trials", "24",
    ])
    #expect(next.code == 0, "\(next.errors)")
    #expect(try search(["run", "next", "--workers", "1", "--quiet"]).code == 0)
    #expect(try search(["show", "next"]).output.contains("24 complete"))
    #expect(try search(["show", "next", "--trial", "3"]).output.contains("from=well, trial 3"))
    let bad: [([String], String)] = [
      (["copy", "well", "twin"], "there is a study 'twin' already"),
      (["edit", "well", "--rename", "twin"], "there is a study 'twin' already"),
      (["edit", "well", "--rename", "a/b"], "cannot be a name"),
      (["edit", "well", "--trial", "99", "--attribute", "a=b"], "has no trial 99"),
      (
        ["create", "x", "--from", "well", "--space", "small", "--evaluate", "true"],
        "is not the space of the other study: "
      ),
      (
        ["create", "x", "--from", "well", "--space", "digits", "--evaluate", "true"]
          + ["--objective", "energy:minimize:mJ:4"],
        "trial 0 of study 'well' has no 'energy'"
      ),
    ]
    for (words, message) in bad {
      let program = try search(words)
      #expect(program.code == 1 && program.errorLines.count == 1, "\(program.errors)")
      #expect(program.errors.contains(message), "\(program.errors)")
    }
  }

  @Test("A space is shown with its genes, size, ranges and samples")
  func space() throws {
    let folder = try TemporaryFolder()
    let shown = try Program.run(["search", "space", "digits"], in: folder.path)
    #expect(shown.code == 0, "\(shown.errors)")
    #expect(shown.output.contains("18 genes") && shown.output.contains("stage1.width"))
    #expect(shown.output.split(separator: "\n").suffix(10).allSatisfy { $0.contains("ir_k3") })
    let yaml = try Program.run(["search", "space", "digits", "--yaml"], in: folder.path)
    try folder.write("own.yaml", Array(yaml.output.utf8))
    let own = try Program.run(
      ["search", "space", "own.yaml", "--samples", "2", "--json"], in: folder.path)
    let record = try JSONSerialization.jsonObject(with: Data(own.output.utf8)) as? [String: Any]
    #expect((record?["samples"] as? [Any])?.count == 2 && (record?["genes"] as? [Any])?.count == 18)
    try folder.write("bad.yaml", Array(yaml.output.replacing("stem:", with: "stam:").utf8))
    let bad = try Program.run(["search", "space", "bad.yaml"], in: folder.path)
    #expect(bad.code == 1 && bad.errorLines.count == 1 && bad.errors.contains("bad.yaml"))
  }

  @Test("Names, reasons and attributes reach no terminal with their control characters")
  func controlCharacters() throws {
    let folder = try TemporaryFolder()
    let name = "a\u{1b}]0;owned\u{7}\u{9b}2Jb"
    let line = "printf '\\033[31mred\\007\\n' >&2; exit 1"
    var outputs: [Program] = []
    outputs.append(
      try Program.run(
        ["search", "run", name, "--storage", "a.db", "--space", "digits", "--evaluate", line]
          + ["--attribute", "k\u{1b}[1m=v\u{1b}[2J", "--trials", "2", "--workers", "1"]
          + ["--target", "t\u{1b}[5m:params=5k,madds=100k"], in: folder.path))
    for words in [
      ["list"], ["show"], ["show", "--trial", "0"], ["pareto"], ["best"], ["list", "--json"],
      ["show", "none\u{1b}[2J"], ["retry"], ["delete"], ["delete", "--yes"],
    ] {
      outputs.append(
        try Program.run(
          ["search", words[0], "--storage", "a.db"] + words.dropFirst(), in: folder.path))
    }
    outputs.append(try Program.run(["search", "frob\u{1b}[2J"], in: folder.path))
    for program in outputs {
      for text in [program.output, program.errors] {
        #expect(!text.unicodeScalars.contains { $0.value < 32 && $0 != "\n" }, "\(text)")
        #expect(!text.unicodeScalars.contains { (0x7f..<0xa0).contains($0.value) }, "\(text)")
      }
    }
    #expect(outputs[0].errors.contains("\\u{1b}[31mred"), "\(outputs[0].errors)")
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

  @Test("Bad input is one line that says what and how to mend it, and exit code 1")
  func badInput() throws {
    let folder = try TemporaryFolder()
    #expect(try create(in: folder).code == 0)
    try folder.write("text.db", [UInt8](repeating: 65, count: 9000))
    let digits = ["--space", "digits", "--evaluate", "true"]
    let space =
      "name: e\ninputSize: 8\nclasses: 10\nstem: []\nhead: [0]\nstages:\n"
      + "  - {name: s, stride: 1, width: [8], repeats: [0]}\n"
    try folder.write("empty.yaml", Array(space.utf8))
    let cases: [(arguments: [String], message: String)] = [
      (["show", "dmo", "--storage", "a.db"], "there is no study 'dmo'; did you mean 'demo'?"),
      (["show", "--trial", "9", "--storage", "a.db"], "study 'demo' has no trials yet"),
      (["list", "--storage", "none.db"], "creating a study makes it ('muxnet search create')"),
      (["worker", "--storage", "none.db"], "there is no such file"),
      (["list", "--storage", "text.db"], "is damaged or no database"),
      (["list", "--storage", "mysql://a/b"], "unknown kind 'mysql'; use sqlite:///FILE"),
      (["list", "--storage", "memory:"], "'memory:' ends with the command"),
      (["create", "demo", "--storage", "a.db"] + digits, "there is a study 'demo' already"),
      (
        ["create", "b", "--storage", "a.db", "--space", "digts"] + ["--evaluate", "true"],
        "there is no such space"
      ),
      (
        ["create", "b", "--storage", "a.db", "--space", "empty.yaml", "--evaluate", "true"],
        "the space is empty: 'stem' has no choices"
      ),
      (
        ["create", "b", "--storage", "a.db", "--max-params", "10"] + digits,
        "no network"
      ),
      (
        ["create", "b", "--storage", "a.db", "--target", "params=60M"] + digits,
        "params=60000000 is outside of what the space 'muxnet_digits' reaches ("
      ),
      (
        ["create", "b", "--storage", "a.db", "--target", "watts=3"] + digits,
        "there is no objective 'watts'; there are error, params, madds"
      ),
      (
        ["create", "b", "--storage", "a.db", "--budget", "small:params=1k"] + digits,
        "no network keeps params=1000; the least of the space is "
      ),
      (
        ["create", "b", "--storage", "a.db", "--budget", "s:params=9k", "--target", "s:madds=200k"]
          + digits,
        "two targets or budgets are called 's'; give each a name of its own"
      ),
      (
        ["create", "b", "--storage", "a.db", "--budget", "error=5,params=9k,madds=1M"] + digits,
        "it limits every objective; leave out the one that is to be the best within it"
      ),
      (
        ["create", "b", "--storage", "a.db", "--objective", "energy:minimize:mJ"] + digits,
        "it has no scale; give the value that weighs as much as the largest cost"
      ),
      (
        ["create", "b", "--storage", "a.db", "--objective", "error:minimize"] + digits,
        "'error' is known already; give it another name"
      ),
      (
        ["create", "b", "--storage", "a.db", "--objective", "energy:less"] + digits,
        "write NAME:minimize or NAME:maximize"
      ),
      (
        ["create", "b", "--storage", "a.db", "--objective", "energy:minimize:mJ=3*watts"] + digits,
        "'3*watts' is not NUMBER*params or NUMBER*madds"
      ),
      (
        ["create", "b", "--storage", "a.db", "--target", "params=fast"] + digits,
        "'fast' is not a number"
      ),
      (
        ["create", "b", "--storage", "a.db", "--objectives", "error,beauty"] + digits,
        "there is no objective 'beauty'"
      ),
      (
        ["create", "b", "--storage", "a.db", "--target", "params=1e99"] + digits,
        "target 'params=1e99': '1e99' is beyond any network; give a number such as 60M"
      ),
      (
        ["create", "b", "--storage", "a.db", "--space", "digits", "--evaluate", " "],
        "the command that evaluates is empty; give one, such as 'python3 evaluate.py'"
      ),
      (["create", "b", "--storage", "a.db", "--trials", "0"] + digits, "trials"),
      (["create", "b", "--storage", "a.db", "--trials", "\(Int.max)"] + digits, "at most 10^9"),
      (["create", "a/b", "--storage", "a.db"] + digits, "'a/b' cannot be a name"),
      (["pareto", "--storage", "a.db"], "study 'demo' has no complete trial yet"),
      (["run", "nosuch", "--storage", "a.db"], "there is no study 'nosuch'"),
    ]
    for (arguments, message) in cases {
      let program = try Program.run(["search"] + arguments, in: folder.path)
      #expect(program.code == 1, "\(arguments)")
      #expect(program.errorLines.count == 1, "\(arguments): \(program.errors)")
      #expect(program.errors.contains(message), "\(arguments): \(program.errors)")
    }
    let crowd = try Program.run(
      ["search", "run", "demo", "--storage", "a.db", "--workers", "100000"], in: folder.path)
    #expect(crowd.code == 64)
    #expect(crowd.errors.contains("--workers must be at most "), "\(crowd.errors)")
    let usage = try Program.run(
      ["search", "create", "b", "--algorithm", "magic"] + digits, in: folder.path)
    #expect(usage.code == 64)
  }

  @Test("A second master is refused while the first one drives the study")
  func twoMasters() throws {
    let folder = try TemporaryFolder()
    let arguments =
      ["search", "run", "demo", "--storage", "a.db", "--space", "digits", "--workers", "1"]
      + ["--evaluate", "sleep 60"]
    let first = try Program(arguments, in: folder.path)
    let url = StorageURL(.sqlite(path: folder("a.db")))
    #expect(
      eventually {
        let coordinator = (try? StudyStorage.open(url, for: .read)).map { StudyCoordinator($0) }
        let study = try? coordinator?.study(named: "demo")
        return study?.master != nil
      })
    let second = try Program.run(arguments, in: folder.path)
    #expect(second.code == 1)
    #expect(
      second.errors.contains("is run by process \(first.processIdentifier) on"), "\(second.errors)")
    #expect(second.errors.contains("add workers with 'muxnet search worker demo'"))
    #expect(first.isRunning)
    first.send(SIGTERM)
    first.wait()
    #expect(first.code == 143)
  }

  @Test("A full disk ends the search with one line; with room again it goes on")
  func fullDisk() throws {
    let folder = try TemporaryFolder()
    #expect(try create(["--trials", "60"], in: folder).code == 0)
    // A limit on the size of files stands for a full disk: the write fails in the same place.
    let limited = try Program.run(
      shell: "ulimit -f 400; exec \"$MUXNET\" search run demo --storage a.db --workers 1"
        + " --patience 1", in: folder.path)
    #expect(limited.code == 1, "\(limited.errors)")
    #expect(limited.errorLines.count == 1, "\(limited.errors)")
    #expect(limited.errors.contains("cannot write to the storage"), "\(limited.errors)")
    #expect(limited.errors.contains("free some space, then try again"))
    let free = try Program.run(
      ["search", "run", "demo", "--storage", "a.db", "--workers", "1"], in: folder.path)
    #expect(free.code == 0, "\(free.errors)")
    #expect(free.errors.contains("60/60 trials | 0 running | 0 failed"), "\(free.errors)")
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
