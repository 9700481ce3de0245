// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXStudies

/// Starts this program on the hosts of a file, by ssh or another shell.
///
/// On each host one `muxnet node` starts the host's processes and watches its standard input: where this process
/// ends, however it ends, the connection does too, and `muxnet node` ends what it has started. No terminal
/// is asked for (ssh -tt), which would mix results with messages.
struct NodeLauncher {
  let file: Hostfile
  /// The words of the shell; the host and a command line follow.
  let shell: [String]
  /// This program on the hosts.
  let program: String
  /// Where the hosts reach this machine.
  let address: String

  /// Variables that every process needs, wherever it is: settings, and those of the libraries.
  private static let prefixes = ["MUXNET_", "OMP_", "GLOO_", "NCCL_", "TORCH_", "KMP_", "MKL_"]
  /// Of these, what is this machine's business, or goes by a way that others cannot see.
  private static let own: Set<String> = ["MUXNET_RSH", "MUXNET_STORAGE"]

  /// Starts the processes of all hosts.
  ///
  /// - Parameters:
  ///   - arguments: The words of the command line of each.
  ///   - isTogether: Whether the end of one is the end of all.
  ///   - input: What each finds on its standard input.
  ///   - environment: Variables of a launch.
  /// - Throws: `StudyError`, `CommandError`.
  func start(
    _ arguments: [String], isTogether: Bool, input: String?, environment: [String: String]
  ) throws -> [any LaunchedMember] {
    // A host that is gone must not end this process.
    signal(SIGPIPE, SIG_IGN)
    let shared = ProcessInfo.processInfo.environment.filter { name, _ in
      Self.prefixes.contains { name.hasPrefix($0) } && !Self.own.contains(name)
    }
    let common = shared.merging(environment) { $1 }
    var started: [any LaunchedMember] = []
    for host in file.hosts {
      let order = NodeOrder(
        host: host.name, folder: FileManager.default.currentDirectoryPath, arguments: arguments,
        environment: common, members: Self.members(of: host), input: input, isTogether: isTogether)
      started.append(try RemoteMember(host.name, command(for: host.name), order))
    }
    return started
  }

  private static func members(of host: Hostfile.Host) -> [NodeOrder.Member] {
    (0..<host.slots).map { place in
      let number = host.first + place
      return NodeOrder.Member(
        number: number,
        environment: [
          "RANK": "\(number)", "LOCAL_RANK": "\(place)", "LOCAL_WORLD_SIZE": "\(host.slots)",
        ])
    }
  }

  /// The words that start `muxnet node` on a host.
  private func command(for host: String) -> [String] {
    if Hostfile.isLocal(host) { return [StopRequest.program.path, "node"] }
    return shell + [host, "exec \(ShellWord.quoted(program)) node"]
  }
}

/// The processes of a host.
final class RemoteMember: LaunchedMember {
  let name: String
  let isHost = true
  private let process: ChildProcess
  private let control: FileHandle

  /// - Throws: `StudyError` where the shell cannot be started, `CommandError` where there is no pipe.
  init(_ host: String, _ words: [String], _ order: NodeOrder) throws {
    name = "host \(host)"
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw CommandError("cannot make a pipe: \(String(cString: strerror(errno)))")
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    control = FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
    defer { close(ends[0]) }
    process = try ChildProcess(
      try Self.path(of: words[0]), Array(words.dropFirst()),
      environment: ProcessInfo.processInfo.environment, input: .descriptor(ends[0]),
      output: .descriptor(STDOUT_FILENO), errors: .descriptor(STDERR_FILENO),
      bond: .patient(seconds: 1))
    // Where the host is gone already, its ending says why.
    try? control.write(contentsOf: Data(try order.line().utf8))
  }

  func poll() -> ChildProcess.Ending? {
    switch process.poll() {
    case .exit(LaunchedEnding.nodeDone): .exit(code: 0)
    // 127: the shell finds no such program; 126: it is none.
    case .exit(0), .exit(127): .exit(code: LaunchedEnding.noNode)
    case let ending: ending
    }
  }

  func send(_ signal: Int32) { say(.init(signal)) }

  func kill() {
    say(.kill)
    try? control.close()
    // The connection itself, where the host does not answer any more.
    for _ in 0..<100 where process.isRunning { usleep(20_000) }
    process.send(SIGKILL, toGroup: true)
  }

  func waitForLines(passing errors: Bool) {}

  var isStopped: Bool { false }

  private func say(_ word: NodeOrder.Word) {
    try? control.write(contentsOf: Data((word.rawValue + "\n").utf8))
  }

  /// The file of a program, looked for where shells do.
  private static func path(of name: String) throws -> String {
    if name.contains("/") { return name }
    let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
    guard
      let found = folders.map({ "\($0)/\(name)" })
        .first(where: { FileManager.default.isExecutableFile(atPath: $0) })
    else {
      throw CommandError("cannot find \(name), which is needed to reach the hosts; install it")
    }
    return found
  }
}
