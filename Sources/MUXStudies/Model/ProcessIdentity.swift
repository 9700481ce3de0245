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
  /// The process's number there.
  public var process: Int32
  /// Eight hexadecimal digits, since machines use numbers of processes again.
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
    let nonce = UUID().uuidString.prefix(8).lowercased()
    return ProcessIdentity(host: hostName, process: getpid(), nonce: String(nonce))
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
  public var isKnownToBeDead: Bool {
    host == Self.hostName && kill(process, 0) != 0 && errno == ESRCH
  }

  private static let hostName: String = {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    let name = String(decoding: bytes, as: UTF8.self).replacing(":", with: "-")
    return name.isEmpty ? "localhost" : name
  }()
}
