// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXStudies
import MUXTestSupport
import Testing

@Suite(
  "muxnet search: trials by hand, queues and copies", .serialized, .tags(.processes), .endsSometime,
  .onWaitingThreads)
struct SearchByHandTests {
  @Test("Ask and tell by hand, with own objectives, notes, reports and bad input")
  func byHand() throws {
    let folder = try TemporaryFolder()
    func search(_ words: [String]) throws -> Program {
      try SearchStudy.run(words, in: folder)
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
      (["0", #"{"error": 5"#], "'{\"error\": 5' is not one JSON object with the values"),
      (["0", #"{"error": NaN}"#], "is not one JSON object with the values"),
      (["0", #"{"error": 5, "report": 3}"#], "is not one JSON object with the values"),
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

  @Test("A search says that it waits for a trial that somebody holds, and goes on without it")
  func heldTrial() throws {
    let folder = try TemporaryFolder()
    #expect(try SearchStudy.create(["--trials", "3"], in: folder).code == 0)
    let asked = try SearchStudy.run(["ask", "demo", "--hold", "20s"], in: folder)
    #expect(asked.code == 0, "\(asked.errors)")
    let run = try SearchStudy.run(["run", "demo"], in: folder)
    #expect(run.code == 0, "\(run.errors)")
    let lines = run.errors.split(separator: "\n").filter {
      $0.contains("waiting for trial 0, asked for by hand")
    }
    #expect(lines.count == 1, "\(run.errors)")
    #expect(lines.first?.contains("workers get it in at most ") == true)
  }

  @Test("Networks of one's own come first in line, and those outside of the space say which gene")
  func enqueue() throws {
    let folder = try TemporaryFolder()
    func search(_ words: [String]) throws -> Program {
      try SearchStudy.run(words, in: folder)
    }
    #expect(try SearchStudy.create(["--trials", "8"], in: folder).code == 0)
    #expect(try search(["run", "demo", "--workers", "1"]).code == 0)
    let made = try search([
      "create", "next", "--space", "digits", "--evaluate", SearchStudy.evaluation, "--trials", "5",
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
      (["demo:40"], "has no trial 40"), (["[a]"], "is not a genome"),
      (["nosuch:1"], "there is no study 'nosuch'"),
      (["demo:"], "'' is not a trial number"), (["demo:3,,4"], "'' is not a trial number"),
    ]
    for (words, message) in bad {
      let program = try search(["enqueue", "next"] + words)
      #expect(program.code == 1 && program.errorLines.count == 1, "\(program.errors)")
      #expect(program.errors.contains(message), "\(program.errors)")
    }
  }

  @Test("Studies are copied, renamed, corrected and continued")
  func copies() throws {
    let folder = try TemporaryFolder()
    func search(_ words: [String]) throws -> Program {
      try SearchStudy.run(words, in: folder)
    }
    let made = try search([
      "create", "broken", "--space", "digits", "--evaluate", "wrong-command", "--trials", "12",
    ])
    #expect(made.code == 0)
    #expect(try search(["run", "broken", "--workers", "1"]).code == 1)
    #expect(try search(["show", "broken"]).output.contains("last failure"))
    #expect(
      try search(["edit", "broken", "--evaluate", SearchStudy.evaluation, "--rename", "well"]).code
        == 0)
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
      "create", "next", "--from", "well", "--space", "digits", "--evaluate", SearchStudy.evaluation,
      "--budget", "b:params=10k", "--trials", "24",
    ])
    #expect(next.code == 0, "\(next.errors)")
    #expect(try search(["run", "next", "--workers", "1", "--quiet"]).code == 0)
    #expect(try search(["show", "next"]).output.contains("24 complete"))
    #expect(try search(["show", "next", "--trial", "3"]).output.contains("from=well, trial 3"))
    let power = try search([
      "create", "power", "--space", "digits", "--evaluate", "true", "--objective",
      "energy:minimize:mJ:4",
    ])
    #expect(power.code == 0, "\(power.errors)")
    let bad: [([String], String)] = [
      (["copy", "well", "twin"], "there is already a study 'twin'"),
      (["edit", "well", "--rename", "twin"], "there is already a study 'twin'"),
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
      (
        ["create", "x", "--from", "power", "--space", "digits", "--evaluate", "true"]
          + ["--objective", "energy:minimize:J:4"],
        "study 'power' has energy:minimize:mJ, and the new one energy:minimize:J;"
      ),
      (
        ["create", "x", "--from", "power", "--space", "digits", "--evaluate", "true"]
          + ["--objective", "energy:maximize:mJ:4"],
        "study 'power' has energy:minimize:mJ, and the new one energy:maximize:mJ;"
      ),
    ]
    for (words, message) in bad {
      let program = try search(words)
      #expect(program.code == 1 && program.errorLines.count == 1, "\(program.errors)")
      #expect(program.errors.contains(message), "\(program.errors)")
    }
  }
}
