// SPDX-License-Identifier: Apache-2.0
import Foundation

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// A process of some machine, told apart from all others.
public struct ProcessIdentity: Sendable, Hashable, Codable, CustomStringConvertible {
  /// The machine's name.
  public var host: String
  /// The process's number (pid) on that host; the nonce tells it from a later process with the same number.
  public var process: Int32
  /// Eight hexadecimal digits, since machines use numbers of processes again. The first four are the
  /// same for all processes that see each other.
  public var nonce: String

  /// Another process.
  public init(host: String, process: Int32, nonce: String) {
    self.host = host
    self.process = process
    self.nonce = nonce
  }

  /// A new identity of this process. The nonce only keeps identities apart; nothing of a search
  /// depends on it.
  public static func current() -> ProcessIdentity {
    let random = UUID().uuidString.prefix(4).lowercased()
    return ProcessIdentity(host: hostName, process: getpid(), nonce: system + random)
  }

  /// Reads `host:process:nonce`.
  public init?(_ text: String) {
    let parts = text.split(separator: ":")
    guard parts.count == 3, let process = Int32(parts[1]) else { return nil }
    self.init(host: String(parts[0]), process: process, nonce: String(parts[2]))
  }

  /// `host:process:nonce`.
  public var description: String { "\(host):\(process):\(nonce)" }

  /// Whether the process is known to have ended; false where that cannot be known from here.
  public var isKnownToBeDead: Bool { isVisible && !isThere }

  /// Whether a process of that number runs here; false where that cannot be known.
  var isKnownToBeAlive: Bool { isVisible && isThere }

  private var isThere: Bool { kill(process, 0) == 0 || errno != ESRCH }

  /// Whether this process and that one see the same processes. Machines and containers often have the
  /// same name (localhost), and then one says nothing of the processes of the other.
  private var isVisible: Bool { host == Self.hostName && nonce.hasPrefix(Self.system) }

  /// Four hexadecimal digits of the running system and its list of processes: of containers on one
  /// machine each has its own, and a machine has others after each start.
  private static let system: String = {
    var facts = ""
    #if os(Linux)
      facts +=
        (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
      facts +=
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")) ?? ""
    #else
      var start = timeval()
      var size = MemoryLayout<timeval>.size
      if sysctlbyname("kern.boottime", &start, &size, nil, 0) == 0 { facts = "\(start.tv_sec)" }
    #endif
    // FNV-1a: `Hasher` differs from process to process.
    let hash = facts.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
    let text = String((hash >> 16) ^ (hash & 0xffff), radix: 16)
    return String(repeating: "0", count: 4 - text.count) + text
  }()

  private static let hostName: String = {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    let bytes = buffer.prefix { $0 != 0 }.map { UInt8(truncatingIfNeeded: $0) }
    let name = String(decoding: bytes, as: UTF8.self).replacing(":", with: "-")
    return name.isEmpty ? "localhost" : name
  }()
}
