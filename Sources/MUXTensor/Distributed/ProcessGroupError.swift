// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// Why processes cannot work together, or no longer.
public enum ProcessGroupError: Error, Equatable, Sendable {
  /// A launcher's variable is absent, or makes no sense.
  case place(variable: String, value: String?, needed: String)
  /// This machine has no network interface of that name with an address.
  case noInterface(String, existing: [String])
  /// The store, or the others, cannot be reached.
  case unreachable(rank: Int, size: Int, host: String, port: Int, reason: String)
  /// An operation of all ended because another process did, or did not answer in time.
  case lost(rank: Int, size: Int, during: String, reason: String)
  /// Another process has something else than process 0.
  case differs(rank: Int, what: String, value: String, first: String)
  /// A process will not train: its settings, its data or something else of it will not do.
  case refused(rank: Int, size: Int, reason: String)
}

extension ProcessGroupError: CustomStringConvertible, LocalizedError {
  /// One line: what, where, and how to fix it.
  public var description: String {
    switch self {
    case .place(let variable, let value, let needed):
      return "the environment variable \(variable) is \(value.map { "\"\($0)\"" } ?? "not set"):"
        + " it must be \(needed) where several processes train together"
    case .noInterface(let name, let existing):
      let wanted = NetworkInterfaces.list(name)
      let each = wanted.count < 2 ? "" : " (neither \(wanted.joined(separator: " nor ")))"
      return "distributed.interface (or GLOO_SOCKET_IFNAME) is \"\(name)\": this machine has no"
        + " such network interface with an address\(each)"
        + (existing.isEmpty ? "" : ", but \(existing.joined(separator: ", "))")
    case .unreachable(let rank, let size, let host, let port, let reason):
      return "process \(rank) of \(size) cannot reach the others at \(host), port \(port)"
        + " (\(reason)): have all been started, and is there a firewall between them?"
    case .lost(let rank, let size, let during, let reason):
      return
        "process \(rank) of \(size) has lost another one \(during) (\(reason)): look for the first"
        + " one that failed, and resume from the last checkpoint"
    case .differs(let rank, let what, let value, let first):
      return "process \(rank) has \(what) \(value), process 0 has \(first):"
        + " all need the same"
    case .refused(let rank, let size, let reason):
      return "process \(rank) of \(size) refuses to begin: \(reason)"
    }
  }

  /// The same line as `description`.
  public var errorDescription: String? { description }
}
