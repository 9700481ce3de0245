// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXCore

/// What a launcher asks of a host, as the first line of the standard input of `muxnet node` there. Lines
/// behind it are signals to hand on, and its end is that of the launcher.
struct NodeOrder: Codable, Hashable {
  /// One process.
  struct Member: Codable, Hashable {
    /// Its number among all.
    var number: Int
    /// Variables of its own.
    var environment: [String: String]
  }

  /// The launcher's version.
  var version = MUXNetVersion.current
  /// The host's name in the file of hosts.
  var host: String
  /// The folder in which all work.
  var folder: String
  /// The words of the command line.
  var arguments: [String]
  /// Variables of all processes.
  var environment: [String: String]
  /// The processes of this host.
  var members: [Member]
  /// What each finds on its standard input, where nobody else can read it.
  var input: String?
  /// Whether the end of one is the end of all.
  var isTogether: Bool

  /// The words that are handed on.
  enum Word: String, CaseIterable {
    case interrupt = "INT"
    case terminate = "TERM"
    case kill = "KILL"

    init(_ signal: Int32) { self = signal == SIGINT ? .interrupt : .terminate }

    var signal: Int32 {
      switch self {
      case .interrupt: SIGINT
      case .terminate: SIGTERM
      case .kill: SIGKILL
      }
    }
  }

  func line() throws -> String {
    String(decoding: try JSONEncoder().encode(self), as: UTF8.self) + "\n"
  }
}
