// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import ArgumentParser
  import Foundation
  import MUXStudies
  import MUXTensor
  import MUXTraining
  import Synchronization

  /// Starts this program several times on this machine, as processes that train together, and waits for them.
  ///
  /// They end with this process, however it ends. The first one speaks for all: the lines of the others get
  /// their numbers.
  struct ProcessLauncher {
    /// How many train together.
    let processes: Int
    /// How often all are started anew where one fails.
    let restarts: Int
    /// The words of the command line for each of them.
    let arguments: [String]

    /// Seconds in which processes notice that another one is gone.
    private static let notice = 10.0
    /// Seconds between asking a process to end and making it.
    private static let grace = 20.0

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
        // A command line that makes no sense makes none the next time either.
        guard attempt < restarts, failure.ending != .exit(code: 64) else {
          throw CommandError(
            "\(failure.text(of: processes))\(attempt > 0 ? ", after \(attempt) restarts" : "")"
              + "; its last words are above")
        }
        attempt += 1
        Console.warning(
          "\(failure.text(of: processes)): all start anew (\(attempt) of \(restarts))")
      }
    }

    /// The first process that failed.
    private struct Failure: Error {
      let rank: Int
      let ending: ChildProcess.Ending

      func text(of processes: Int) -> String {
        switch ending {
        case .exit(let code): "process \(rank) of \(processes) ended with exit code \(code)"
        case .signal(let number): "process \(rank) of \(processes) was ended by signal \(number)"
        }
      }
    }

    private func runOnce(_ launch: String, attempt: Int) throws -> Result<Int32, Failure> {
      let server = try StoreServer()
      defer { withExtendedLifetime(server) {} }
      let children = try (0..<processes).map { rank in
        try start(rank, launch, attempt: attempt, port: server.port)
      }
      var forwarded = false
      var failure: Failure?
      var deadline: ContinuousClock.Instant?
      while children.contains(where: \.process.isRunning) {
        if let signal = StopSignal.process.requested, !forwarded {
          forwarded = true
          for child in children { child.process.send(signal) }
        }
        if failure == nil {
          failure =
            children.enumerated().compactMap { rank, child in
              Self.fails(child.process.poll()).map { Failure(rank: rank, ending: $0) }
            }.first
          if failure != nil { deadline = .now + .seconds(Self.notice) }
        }
        if let time = deadline, ContinuousClock.now > time {
          // Whoever was stopped by a signal does not hear another one.
          for child in children { child.process.send(SIGKILL, toGroup: true) }
          deadline = nil
        }
        usleep(20_000)
      }
      for child in children { child.lines?.waitForEnd() }
      if failure == nil {
        failure =
          children.enumerated().compactMap { rank, child in
            Self.fails(child.process.poll()).map { Failure(rank: rank, ending: $0) }
          }.first
      }
      if let failure { return .failure(failure) }
      guard case .exit(let code) = children[0].process.wait() else { return .success(0) }
      return .success(code)
    }

    /// The ending, if it is none that was asked for.
    private static func fails(_ ending: ChildProcess.Ending?) -> ChildProcess.Ending? {
      switch ending {
      case nil, .exit(0): nil
      case .exit(let code):
        code == 128 + SIGINT || code == 128 + SIGTERM ? nil : ending
      case .signal: ending
      }
    }

    private func start(
      _ rank: Int, _ launch: String, attempt: Int, port: Int
    ) throws -> (process: ChildProcess, lines: NumberedLines?) {
      var environment = ProcessInfo.processInfo.environment
      for (name, value) in [
        "RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes,
        "MASTER_PORT": port, "TORCHELASTIC_RESTART_COUNT": attempt,
        "TORCHELASTIC_MAX_RESTARTS": restarts,
      ] { environment[name] = String(value) }
      environment["MASTER_ADDR"] = "127.0.0.1"
      environment["TORCHELASTIC_USE_AGENT_STORE"] = "True"
      environment["TORCHELASTIC_RUN_ID"] = launch
      let lines = try rank == 0 ? nil : NumberedLines(rank)
      let process = try ChildProcess(
        StopRequest.program.path, arguments, environment: environment,
        output: .descriptor(lines?.input ?? STDOUT_FILENO),
        errors: .descriptor(lines?.input ?? STDERR_FILENO), bond: .patient(seconds: Self.grace))
      lines?.hasStarted()
      return (process, lines)
    }
  }

  /// Passes on lines of a process with its number before them.
  private final class NumberedLines: Sendable {
    let input: Int32
    private let output: Int32
    private let done = DispatchSemaphore(value: 0)
    private let rank: Int

    init(_ rank: Int) throws {
      var ends: [Int32] = [-1, -1]
      guard pipe(&ends) == 0 else {
        throw CommandError("cannot make a pipe: \(String(cString: strerror(errno)))")
      }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      output = ends[0]
      input = ends[1]
      self.rank = rank
    }

    /// Closes this process's own end, and begins to read.
    func hasStarted() {
      close(input)
      let (output, rank, done) = (output, rank, done)
      let thread = Thread {
        var rest: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 4096)
        func tell(_ line: some Sequence<UInt8>) {
          Console.note("[\(rank)] \(String(decoding: Array(line), as: UTF8.self))")
        }
        while true {
          let count = read(output, &bytes, bytes.count)
          if count < 0, errno == EINTR { continue }
          guard count > 0 else { break }
          rest += bytes[..<count]
          while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            tell(rest[..<end])
            rest.removeFirst(end + 1)
          }
        }
        if !rest.isEmpty { tell(rest) }
        close(output)
        done.signal()
      }
      thread.start()
    }

    func waitForEnd() { done.wait() }
  }
#endif
