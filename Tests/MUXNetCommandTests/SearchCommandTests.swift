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

@Suite("muxnet search", .serialized, .tags(.processes), .endsSometime, .onWaitingThreads)
struct SearchCommandTests {
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
    #expect(
      try SearchStudy.create(["--trials", "12", "--attribute", "who=me"], in: folder).code == 0)
    let run = try Program.run(
      ["search", "run", "--storage", "a.db", "--workers", "2"], in: folder.path)
    #expect(run.code == 0, "\(run.errors)")
    #expect(run.errors.contains("generation 1/1 | 12/12 trials | 0 running | 0 failed"))
    #expect(run.errors.contains("  small  g "))
    let list = try #require(try SearchStudy.json(["list"], in: folder) as? [[String: Any]])
    #expect(list.count == 1)
    let show = try #require(try SearchStudy.json(["show"], in: folder) as? [String: Any])
    #expect((show["trials"] as? [String: Int])?["complete"] == 12)
    #expect((show["attributes"] as? [String: String])?["who"] == "me")
    let front = try #require(
      try SearchStudy.json(["pareto", "demo"], in: folder) as? [[String: Any]])
    #expect(show["front"] as? [Int] == front.compactMap { $0["number"] as? Int })
    let best = try #require(
      try SearchStudy.json(["best", "--networks", "found"], in: folder) as? [[String: Any]])
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
      try SearchStudy.json(["show", "demo", "--trial", "3"], in: folder) as? [String: Any])
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
    #expect(kept.errors.contains("12 trials would be removed for good; confirm with --yes"))
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
      + ["--evaluate", SearchStudy.evaluation, "--workers", "2", "--json"] + SearchStudy.targets
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
    let same = ["--seed", "0", "--algorithm", "guided", "--evaluate", SearchStudy.evaluation]
    let again = try Program.run(short + same + SearchStudy.targets, in: folder.path)
    #expect(again.code == 0, "\(again.errors)")
  }

  @Test("Files that exist are replaced with --overwrite only, and a file is no folder")
  func overwriting() throws {
    let folder = try TemporaryFolder()
    #expect(try SearchStudy.create(["--trials", "3"], in: folder).code == 0)
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
      second.errors.contains("is already run by process \(first.processIdentifier) on"),
      "\(second.errors)")
    #expect(second.errors.contains("add workers with 'muxnet search worker demo'"))
    #expect(first.isRunning)
    first.send(SIGTERM)
    first.wait()
    #expect(first.code == 143)
  }

  @Test("A full disk ends the search with one line; with room again it goes on")
  func fullDisk() throws {
    let folder = try TemporaryFolder()
    #expect(try SearchStudy.create(["--trials", "60"], in: folder).code == 0)
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
}
