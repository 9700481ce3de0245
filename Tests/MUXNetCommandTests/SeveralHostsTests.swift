// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTestSupport
import Testing

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// Processes on the hosts of a file. Instead of ssh a script starts what is to run on a host, here.
@Suite(
  "Processes on several hosts", .serialized, .tags(.processes), .endsSometime, .onWaitingThreads)
struct SeveralHostsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: URL(filePath: folder(name)))
  }

  /// A stand-in for ssh, which notes the hosts that it was asked for. A session of its own is as far away
  /// as another machine: nothing that is sent to us, or to the script, arrives there.
  private func shell(failing host: String = "none") throws {
    try write(
      """
      #!/bin/sh
      host=$1
      shift
      [ "$host" != \(host) ] || exit 255
      echo "$host" >> '\(folder("hosts-asked"))'
      exec setsid -w sh -c "$*"
      """, to: "rsh")
    chmod(folder("rsh"), 0o755)
  }

  private func environment(_ more: [String: String] = [:]) -> [String: String] {
    ["MUXNET_RSH": folder("rsh")].merging(more) { $1 }
  }

  @Test(
    "A file of hosts that makes no sense is one line with the file and the line",
    arguments: [
      ("a slots=2\nb slots=x\n", "hosts:2: 'slots=x'"), ("a slots=0", "hosts:1: 'slots=0'"),
      ("# none\n\n", "hosts names no host"), ("-oProxyCommand=x", "hosts:1: '-oProxyCommand=x'"),
      ("a\n\na # again", "hosts:3: 'a' is in line 1 already"), ("a cores=2", "hosts:1: 'cores=2'"),
      ("a slots=2 slots=3", "hosts:1: what follows 'slots=2'"),
    ])
  func badFiles(text: String, words: String) throws {
    try write(text, to: "hosts")
    let outcome = try Muxnet.run(
      [
        "search", "worker", "--nodes", "hosts", "--storage", "postgresql://nobody@127.0.0.1:1/none",
      ],
      in: folder.path)
    #expect(outcome.code == 1 && outcome.errorLines.count == 1, "\(outcome.errors)")
    #expect(outcome.errors.contains(words), "\(outcome.errors)")
  }

  @Test(
    "An order of another version is refused with both versions, and what is no order, in one line")
  func badOrders() throws {
    let version = try Muxnet.run(["--version"], in: folder.path).output
      .trimmingCharacters(in: .newlines)
    func order(_ version: String, _ place: String) -> String {
      """
      {"version": "\(version)", "host": "far", "folder": "\(place)", "arguments": [], \
      "environment": {}, "members": [], "isTogether": true}

      """
    }
    for (text, words) in [
      (order("0.0.9", "/"), "host far has muxnet \(version), the machine that starts it 0.0.9:"),
      (order(version, "/no/folder"), "host far has no folder /no/folder"),
      (order(version, "/"), "host far is asked for no process"),
      ("hello\n", "does not understand the order"), ("", "gets its order from it"),
    ] {
      try write(text, to: "order")
      let outcome = try Program.run(shell: "exec \"$MUXNET\" node < order", in: folder.path)
      #expect(outcome.code == 1 && outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains(words), "\(outcome.errors)")
    }
  }

  @Test("Workers start on each host, say who they are, and end with the study")
  func workers() throws {
    let made = try Muxnet.run(
      [
        "search", "create", "a", "--space", "digits", "--evaluate", "echo '{\"error\": 5}'",
        "--budget",
        "small:params=5k,madds=100k", "--trials", "6", "--storage", "a.db",
      ], in: folder.path)
    #expect(made.code == 0, "\(made.errors)")
    try write("localhost slots=2  # here\n", to: "hosts")
    let here = try Muxnet.run(
      ["search", "worker", "a", "--nodes", "hosts", "--storage", "a.db"], in: folder.path)
    #expect(here.code == 0, "\(here.errors)")
    #expect(here.errorLines.count { $0.contains("worker ") && $0.contains(", muxnet ") } == 2)
    let list = try Muxnet.run(
      ["search", "show", "a", "--json", "--storage", "a.db"], in: folder.path)
    #expect(list.output.contains("\"workers.version\""), "\(list.output)")
    try write("a\nb", to: "hosts")
    try shell()
    let far = try Muxnet.run(
      ["search", "worker", "a", "--nodes", "hosts", "--storage", "a.db"], in: folder.path,
      environment: environment())
    #expect(far.code == 1 && far.errors.contains("PostgreSQL"), "\(far.errors)")
  }

  #if TORCH
    private func words(_ name: String, _ more: [String]) -> [String] {
      [
        "train", "--recipe", "digits", "--batch-size", "256", "--threads", "1", "--output",
        folder.path, "--name", name, "--set", "checkpoints.everySteps=1", "--set",
        "output.tensorBoard=false",
      ] + more
    }

    @Test("A training on two hosts is that of two processes; a host that is not reached is named")
    func training() throws {
      try shell()
      try write("a slots=1\nb", to: "hosts")
      let near = try Muxnet.run(
        words("near", ["--processes", "2", "--max-steps", "3"]), in: folder.path)
      #expect(near.code == 0, "\(near.errors)")
      let far = try Muxnet.run(
        words("far", ["--nodes", "hosts", "--address", "127.0.0.1", "--max-steps", "3"]),
        in: folder.path, environment: environment())
      #expect(far.code == 0, "\(far.errors)")
      #expect(far.output == near.output.replacing("/near/", with: "/far/"))
      let asked = try String(contentsOfFile: folder("hosts-asked"), encoding: .utf8)
      #expect(asked.split(separator: "\n").sorted() == ["a", "b"])
      #expect(
        try Data(contentsOf: URL(filePath: folder("near/last.safetensors")))
          == Data(contentsOf: URL(filePath: folder("far/last.safetensors"))))
      try shell(failing: "a")
      try write("a\n", to: "hosts")
      let none = try Muxnet.run(
        words("none", ["--nodes", "hosts", "--max-steps", "1"]), in: folder.path,
        environment: environment())
      #expect(none.code == 1 && none.errors.contains("host a ended with exit code 255"))
      try shell()
      let other = try Muxnet.run(
        words("other", ["--nodes", "hosts", "--max-steps", "1", "--remote-program", "/bin/true"]),
        in: folder.path, environment: environment())
      #expect(other.code == 1 && other.errors.contains("host a has not started muxnet"))
    }

    #if os(Linux)
      @Test("Where the launcher is killed, the processes on hosts end")
      func launcherKilled() throws {
        try shell()
        try write("a\nb", to: "hosts")
        let mark = UUID().uuidString
        let program = try Program(
          words("left", ["--nodes", "hosts", "--address", "127.0.0.1", "--epochs", "1000"]),
          in: folder.path, environment: environment(["TEST_MARK": mark]))
        while program.isRunning, Marked.processes(mark).count < 2 { usleep(20_000) }
        program.send(SIGKILL)
        program.wait()
        for _ in 0..<3000 where !Marked.processes(mark).isEmpty { usleep(20_000) }
        #expect(Marked.processes(mark).isEmpty)
      }

      @Test("One that stands still counts as lost after the time-out, and is ended with all others")
      func standsStill() throws {
        let mark = UUID().uuidString
        let program = try Program(
          words(
            "still", ["--processes", "2", "--epochs", "1000", "--set", "distributed.timeout=1.5"]),
          in: folder.path, environment: ["TEST_MARK": mark])
        while program.isRunning,
          (try? FileManager.default.contentsOfDirectory(atPath: folder("still/checkpoints")))?
            .contains(where: { $0.hasPrefix("step-") }) != true
        { usleep(5000) }
        let victim = try #require(Marked.processes(mark)[1])
        #expect(kill(victim, SIGSTOP) == 0)
        program.wait()
        #expect(program.code == 1, "\(program.errors)")
        #expect(program.errors.contains("has lost another one"), "\(program.errors)")
        #expect(program.errors.contains("waiting 1500ms"), "\(program.errors)")
        #expect(Marked.processes(mark).isEmpty)
      }

      /// The beginning of a line of the shell that works on a disk of 200 KiB.
      private static func onSmallDisk(_ folder: String) -> String {
        "mkdir -p '\(folder)/small' && exec unshare \(getuid() == 0 ? "-m" : "-rm") sh -c '"
          + "mount -t tmpfs -o size=200k none \"$1\" && cd \"$1\" && shift && exec \"$@\"' sh"
          + " '\(folder)/small'"
      }

      /// Whether such a disk can be made.
      private static let hasSmallDisks: Bool = {
        guard let folder = try? TemporaryFolder() else { return false }
        let trial = try? Program.run(shell: "\(onSmallDisk(folder.path)) true", in: folder.path)
        return trial?.code == 0
      }()

      @Test(
        "A full disk ends the first process with its own error, and the other with it",
        .enabled(if: hasSmallDisks, "a small disk cannot be mounted here"))
      func fullDisk() throws {
        let words = words("full", ["--processes", "2", "--output", "."]).map { "'\($0)'" }
        let outcome = try Program.run(
          shell: "\(Self.onSmallDisk(folder.path)) \"$MUXNET\" \(words.joined(separator: " "))",
          in: folder.path)
        #expect(outcome.code == 1, "\(outcome.errors)")
        #expect(
          outcome.errorLines.contains { $0.contains("No space left") }, "\(outcome.errors)")
      }
    #endif
  #endif
}
