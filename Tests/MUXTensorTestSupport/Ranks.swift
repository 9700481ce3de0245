// SPDX-License-Identifier: Apache-2.0
import Foundation
public import MUXTensor
import Synchronization

/// Several members of a group as threads of this process.
public enum Ranks {
  /// Runs a body as each member, and gives what they return in the order of their numbers.
  public static func run<Result: Sendable>(
    _ size: Int, timeout: Double = 60,
    _ body: @escaping @Sendable (ProcessGroup) throws -> Result
  ) throws -> [Swift.Result<Result, any Error>] {
    let server = try StoreServer()
    let port = server.port
    let results = Mutex<[Int: Swift.Result<Result, any Error>]>([:])
    let done = DispatchSemaphore(value: 0)
    for rank in 0..<size {
      let thread = Thread {
        let result = Swift.Result {
          let place = ProcessPlace(
            rank: rank, size: size, host: "127.0.0.1", port: port, launcherServes: true)
          return try body(ProcessGroup(place, timeout: timeout))
        }
        results.withLock { $0[rank] = result }
        done.signal()
      }
      thread.stackSize = 1 << 23
      thread.start()
    }
    for _ in 0..<size { done.wait() }
    withExtendedLifetime(server) {}
    return results.withLock { results in (0..<size).compactMap { results[$0] } }
  }

  /// The same where every member succeeds.
  public static func all<Result: Sendable>(
    _ size: Int, _ body: @escaping @Sendable (ProcessGroup) throws -> Result
  ) throws -> [Result] {
    try run(size) { group in
      try group.connect()
      return try body(group)
    }.map { try $0.get() }
  }
}
