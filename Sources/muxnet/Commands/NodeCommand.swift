// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXConfiguration
import MUXCore
import MUXStudies
import Synchronization

/// Starts the processes of one host for a launcher elsewhere, whose order it reads from its standard input.
struct NodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "node",
    abstract: "Start the processes of one host, for a launcher on another machine.",
    discussion: """
      --nodes starts this on each host. It reads its orders from the standard input, and ends its \
      processes when that is closed.
      """, shouldDisplay: false)

  /// Seconds in which processes notice that another one is gone.
  private static let notice = 10.0
  private static let grace = 20.0

  func run() throws {
    guard let line = readLine(strippingNewline: true) else {
      throw CommandError(
        "muxnet node is started by --nodes of another command, and gets its order from it")
    }
    let order: NodeOrder
    do { order = try JSONDecoder().decode(NodeOrder.self, from: Data(line.utf8)) } catch {
      throw CommandError("muxnet \(MUXNetVersion.current) does not understand the order")
    }
    guard order.version == MUXNetVersion.current else {
      throw CommandError(
        "host \(order.host) has muxnet \(MUXNetVersion.current), the machine that starts it"
          + " \(order.version): all need the same")
    }
    guard FileManager.default.changeCurrentDirectoryPath(order.folder) else {
      throw CommandError(
        "host \(order.host) has no folder \(order.folder): all work in the folder of the command")
    }
    guard !order.members.isEmpty else {
      throw CommandError("host \(order.host) is asked for no process")
    }
    let members = try order.members.map { member in
      try LocalMember(
        member.number, order.arguments,
        environment: order.environment.merging(member.environment) { $1 },
        input: order.input.map { Data($0.utf8) }, grace: Self.grace,
        holdsErrors: order.isTogether)
    }
    Self.listen()
    let code = Self.wait(for: members, isTogether: order.isTogether)
    throw ExitCode(code == 0 ? LaunchedEnding.nodeDone : code)
  }

  /// The last word that came; -1 where the launcher has ended.
  private static let word = Atomic<Int32>(0)

  /// Reads what the launcher says, and notices its end.
  private static func listen() {
    let thread = Thread {
      while let line = readLine(strippingNewline: true) {
        if let known = NodeOrder.Word(rawValue: line) {
          word.store(known.signal, ordering: .relaxed)
        }
      }
      // One that was asked to end everything hangs up, too.
      _ = word.compareExchange(expected: 0, desired: -1, ordering: .relaxed)
    }
    thread.start()
  }

  private static func wait(for members: [any LaunchedMember], isTogether: Bool) -> Int32 {
    var failure: Int32?
    var deadline: ContinuousClock.Instant?
    var hasKilled = false
    var said: Set<String> = []
    while true {
      switch word.exchange(0, ordering: .relaxed) {
      case 0: break
      case -1:
        // Their guards see the end of this process, and end them.
        return 1
      case SIGKILL: for member in members { member.kill() }
      case let signal: for member in members { member.send(signal) }
      }
      for member in members {
        guard let ending = member.poll(), said.insert(member.name).inserted else { continue }
        let code: Int32
        switch ending {
        case .exit(let number): code = number
        case .signal(let number): code = 128 + number
        }
        guard ![0, 128 + SIGINT, 128 + SIGTERM].contains(code) else { continue }
        if case .signal(let number) = ending {
          Console.warning("\(member.name) was ended by signal \(number)")
        }
        if failure == nil {
          if isTogether { deadline = .now + .seconds(notice) }
        } else if failure != LaunchedEnding.noticed || hasKilled {
          continue
        }
        failure = code
      }
      if failure != nil, isTogether {
        for member in members where member.isStopped { member.kill() }
      }
      if let time = deadline, ContinuousClock.now > time {
        for member in members { member.kill() }
        hasKilled = true
        deadline = nil
      }
      guard members.contains(where: { $0.poll() == nil }) else { break }
      usleep(20_000)
    }
    if members.waitForLines() != nil { return LaunchedEnding.refused }
    if let failure { return failure }
    switch members[0].poll() {
    case .exit(let code): return code
    case .signal(let number): return 128 + number
    case nil: return 0
    }
  }
}
