// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXStudies
import MUXTestSupport
import Testing

@Suite(
  "muxnet search: bad input and poor machines", .serialized, .tags(.processes), .endsSometime,
  .onWaitingThreads)
struct SearchBadInputTests {
  @Test(
    "However few files may be open, studies are made, or refused in one line, never by a signal",
    arguments: [4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20])
  func fewOpenFiles(limit: Int) throws {
    let folder = try TemporaryFolder()
    let made = try SearchStudy.create(["--trials", "1"], in: folder)
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
    "Where a new storage has no room, that is said, and nothing is left of it", arguments: [8, 32])
  func noRoom(blocks: Int) throws {
    let folder = try TemporaryFolder()
    // Of the output itself, too.
    let made = try Program.run(
      shell:
        "trap '' XFSZ; ulimit -f \(blocks); exec \"$MUXNET\" search create a --storage new/a.db"
        + " --space digits --evaluate true", in: folder.path)
    #expect(made.code == 1 && made.errorLines.count == 1, "\(made.errors)")
    #expect(made.errors.contains("it cannot be made: writing failed (disk full or a limit"))
    #expect(!FileManager.default.fileExists(atPath: folder("new")))
  }

  @Test("A command to go on with can be copied into a shell, whatever the study is called")
  func namesInCommands() throws {
    let folder = try TemporaryFolder()
    let settings = ["--space", "digits", "--evaluate", "true", "--trials", "1"]
    for (name, shown) in [("it's", "'it'\\''s'"), ("$HOME two", "'$HOME two'"), ("plain", "plain")]
    {
      let made = try SearchStudy.run(["create", name] + settings, in: folder)
      #expect(made.code == 0, "\(made.errors)")
      #expect(made.errors.contains("go on with: muxnet search run \(shown)\n"), "\(made.errors)")
    }
    let edited = try SearchStudy.run(["edit", "it's", "--evaluate", "false"], in: folder)
    #expect(edited.errors.contains("muxnet search retry 'it'\\''s'\n"), "\(edited.errors)")
  }

  @Test("A name with a tab or an escape sequence neither breaks a row of a table nor its columns")
  func namesInTables() throws {
    let folder = try TemporaryFolder()
    let settings = ["--space", "digits", "--evaluate", "true", "--trials", "1"]
    for name in ["a\tb", "c\u{1b}[31md", "plain"] {
      #expect(try SearchStudy.run(["create", name] + settings, in: folder).code == 0)
    }
    let lines = try SearchStudy.run(["list"], in: folder).output.split(separator: "\n")
    #expect(lines.count == 4)
    // The longest name is c\u{1b}[31md with its escape written out: 12 characters, and two between columns.
    let rows = lines.dropFirst().map { $0.split(separator: " ").map(String.init) }
    #expect(rows.map(\.first) == ["a\\tb", "c\\u{1b}[31md", "plain"])
    #expect(lines.allSatisfy { $0.prefix(14).hasSuffix("  ") && $0.dropFirst(14).first != " " })
  }

  @Test("A study that is deleted while it is searched ends the search, which says so")
  func deletedMeanwhile() throws {
    let folder = try TemporaryFolder()
    let program = try Program.run(
      shell:
        "exec \"$MUXNET\" search run gone --storage a.db --space digits --trials 3 --workers 1"
        + " --evaluate '\"$MUXNET\" search delete gone --yes --storage a.db'", in: folder.path)
    #expect(program.code == 1)
    #expect(program.errors.contains("study 'gone' was deleted while"), "\(program.errors)")
    #expect(!program.errors.contains("no more networks"), "\(program.errors)")
  }

  @Test("A space that is exhausted ends the search at once, which says so")
  func exhausted() throws {
    let folder = try TemporaryFolder()
    let space =
      "name: tiny\ninputSize: 8\ninputChannels: 1\nclasses: 10\nstem: [8]\nhead: [0]\nstages:\n"
      + "  - {name: s, stride: 1, width: [8, 16], repeats: [0]}\n"
    try folder.write("tiny.yaml", Array(space.utf8))
    let run = try SearchStudy.run(
      ["run", "demo", "--space", "tiny.yaml", "--evaluate", SearchStudy.evaluation]
        + ["--trials", "50", "--workers", "1"], in: folder)
    #expect(run.code == 0, "\(run.errors)")
    #expect(run.errors.contains("the space has no more networks"), "\(run.errors)")
    #expect(run.errors.contains("48 trials fewer than asked for"), "\(run.errors)")
    // Each is the best in many directions, and named once.
    let queued = try SearchStudy.run(["enqueue", "demo", "demo:best"], in: folder)
    #expect(queued.output == "0 networks are next\n", "\(queued.errors)")
    #expect(["trials already: 0\n", "trials already: 0, 1\n"].contains(queued.errors))
  }

  @Test("Bad input is one line that says what and how to fix it, and exit code 1")
  func badInput() throws {
    let folder = try TemporaryFolder()
    #expect(try SearchStudy.create(in: folder).code == 0)
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
      (["create", "demo", "--storage", "a.db"] + digits, "there is already a study 'demo'"),
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
        ["create", "b", "--storage", "a.db", "--objective", "report:minimize:s:3"] + digits,
        "'report' is known already; give it another name"
      ),
      (
        ["create", "b", "--storage", "a.db", "--objective", "stem:minimize:s:3"] + digits,
        "'stem' is a choice of the space; give the objective another name"
      ),
      (
        ["create", "b", "--storage", "a.db", "--budget", "s:params=0"] + digits,
        "target 's': the limit of 'params' must be above 0, not 0.0"
      ),
      (
        ["create", "b", "--storage", "a.db", "--budget", "s:params=9k,error=101"] + digits,
        "target 's': 'error' is 101.0, not from 0 to 100 percent"
      ),
      (
        ["create", "b", "--storage", "a.db", "--target", "error=101,params=9k"] + digits,
        "'error' is 101.0, not from 0 to 100 percent"
      ),
      (
        ["create", "b", "--storage", "a.db", "--budget", ":params=9k"] + digits,
        "target '': its name is empty; write such as small:params=1.5M"
      ),
      (
        ["create", "b", "--storage", "a.db", "--target", " :params=9k"] + digits,
        "its name is empty"
      ),
      (
        ["create", "b", "--storage", "a.db", "--budget", "s:params=nan"] + digits,
        "'nan' is not a number of 0 or above"
      ),
      (
        ["create", "b", "--storage", "a.db", "--budget", "s:params=-9k"] + digits,
        "'-9k' is not a number of 0 or above"
      ),
      (
        ["create", "b", "--storage", "a.db", "--budget", "s:params=9k", "--budget", "s:madds=1M"]
          + digits, "two targets or budgets are called 's'; give each a name of its own"
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
}
