// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import ArgumentParser
  import Foundation
  import MUXStudies
  import MUXTensor
  import MUXTraining
  import Synchronization

  /// Starts this program several times, as processes that train together, and waits for them.
  ///
  /// They end with this process, however it ends. The first one speaks for all: the lines of the others get
  /// their numbers.
  struct ProcessLauncher {
    /// Where the processes are.
    enum Places {
      /// So many on this machine.
      case here(Int)
      /// On the hosts of a file.
      case nodes(NodeLauncher)
    }

    /// Where they are.
    let places: Places
    /// How often all are started anew where one fails.
    let restarts: Int
    /// The words of the command line for each of them.
    let arguments: [String]

    /// Seconds in which processes notice that another one is gone.
    static let notice = 10.0
    /// Seconds between asking a process to end and making it.
    static let grace = 20.0

    /// How many train together.
    private var processes: Int {
      switch places {
      case .here(let count): count
      case .nodes(let nodes): nodes.file.slots
      }
    }

    /// - Returns: The exit code of the whole.
    /// - Throws: `CommandError` where a process failed and all attempts are used up.
    func run() throws -> Int32 {
      StopSignal.watch()
      let launch = UUID().uuidString
      var attempt = 0
      while true {
        let failure: Failure
        switch try runOnce(launch, attempt: attempt) {
        case .success(let code): return code
        case .failure(let failed): failure = failed
        }
        // What makes no sense makes none the next time either, and has been said.
        if failure.ending == .exit(code: LaunchedEnding.refused), !failure.isHost { return 1 }
        guard attempt < restarts,
          ![.exit(code: 64), .exit(code: LaunchedEnding.refused)].contains(failure.ending)
        else {
          let times = attempt > 0 ? ", after \(attempt) restart\(attempt == 1 ? "" : "s")" : ""
          throw CommandError(
            "\(failure.text(of: processes))\(times); its last output is above")
        }
        attempt += 1
        Console.warning(
          "\(failure.text(of: processes)): all restart (\(attempt) of \(restarts))")
      }
    }

    /// The first process, or host, that failed.
    private struct Failure: Error {
      let name: String
      let ending: ChildProcess.Ending
      let isHost: Bool

      var isNotice: Bool { ending == .exit(code: LaunchedEnding.noticed) }

      func text(of count: Int) -> String {
        let what =
          switch ending {
          case .exit(255) where isHost: "ended with exit code 255 (is it reachable?)"
          case .exit(LaunchedEnding.noNode) where isHost: LaunchedEnding.noNodeText
          case .exit(LaunchedEnding.refused): "refuses to begin"
          case .exit(LaunchedEnding.noticed): "has lost another one"
          case .exit(let code): "ended with exit code \(code)"
          case .signal(let number): "was ended by signal \(number)"
          }
        return isHost ? "\(name) \(what)" : "\(name) of \(count) \(what)"
      }
    }

    /// Starts all processes.
    private func start(
      _ launch: String, attempt: Int, port: Int
    ) throws -> [any LaunchedMember] {
      switch places {
      case .here(let count):
        try (0..<count).map { rank in
          var own = variables(launch, attempt: attempt, port: port, host: "127.0.0.1")
          for name in ["RANK", "LOCAL_RANK"] { own[name] = String(rank) }
          own["LOCAL_WORLD_SIZE"] = String(count)
          return try LocalMember(
            rank, arguments, environment: own, grace: Self.grace, holdsErrors: true)
        }
      case .nodes(let nodes):
        try nodes.start(
          arguments, isTogether: true, input: nil,
          environment: variables(launch, attempt: attempt, port: port, host: nodes.address))
      }
    }

    /// Seconds after the first failure in which all others end by themselves; hosts first end what is left
    /// on them.
    private var noticeSeconds: Double {
      switch places {
      case .here: Self.notice
      case .nodes: Self.notice + 5
      }
    }

    private func runOnce(_ launch: String, attempt: Int) throws -> Result<Int32, Failure> {
      let server = try StoreServer()
      defer { withExtendedLifetime(server) {} }
      let members = try start(launch, attempt: attempt, port: server.port)
      var forwarded = false
      var failure: Failure?
      var deadline: ContinuousClock.Instant?
      var hasKilled = false
      // One that has only noticed the end of another is not to blame for it.
      func find() -> Failure? {
        let failures = members.compactMap { member in
          Self.fails(member.poll()).map {
            Failure(name: member.name, ending: $0, isHost: member.isHost)
          }
        }
        return failures.first { !$0.isNotice } ?? failures.first
      }
      while members.contains(where: { $0.poll() == nil }) {
        if let signal = StopSignal.process.requested, !forwarded {
          forwarded = true
          for member in members { member.send(signal) }
        }
        if !hasKilled, failure?.isNotice ?? true, let found = find() {
          if failure == nil { deadline = .now + .seconds(noticeSeconds) }
          failure = found
        }
        if failure != nil {
          for member in members where member.isStopped { member.kill() }
        }
        if let time = deadline, ContinuousClock.now > time {
          // Whoever was stopped by a signal does not hear another one.
          for member in members { member.kill() }
          hasKilled = true
          deadline = nil
        }
        usleep(20_000)
      }
      if let member = members.waitForLines() {
        return .failure(
          Failure(
            name: member.name, ending: .exit(code: LaunchedEnding.refused), isHost: member.isHost))
      }
      if !hasKilled, failure?.isNotice ?? true { failure = find() }
      if let failure { return .failure(failure) }
      switch members[0].poll() {
      case .exit(let code): return .success(code)
      case .signal(let number): return .success(128 + number)
      case nil: return .success(0)
      }
    }

    /// The ending, if it is none that was asked for.
    private static func fails(_ ending: ChildProcess.Ending?) -> ChildProcess.Ending? {
      switch ending {
      case nil, .exit(0): nil
      case .exit(let code):
        code == 128 + SIGINT || code == 128 + SIGTERM ? nil : ending
      case .signal(SIGINT), .signal(SIGTERM):
        // Who had not begun yet.
        StopSignal.process.requested == nil ? ending : nil
      case .signal: ending
      }
    }

    /// The variables of a launch, which are those of torchrun.
    private func variables(
      _ launch: String, attempt: Int, port: Int, host: String
    ) -> [String: String] {
      [
        "WORLD_SIZE": String(processes), "MASTER_ADDR": host, "MASTER_PORT": String(port),
        "TORCHELASTIC_RESTART_COUNT": String(attempt),
        "TORCHELASTIC_MAX_RESTARTS": String(restarts), "TORCHELASTIC_USE_AGENT_STORE": "True",
        "TORCHELASTIC_RUN_ID": launch, LaunchedEnding.variable: "1",
      ]
    }
  }
#endif
