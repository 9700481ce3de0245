// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// How long to go on while a storage does not answer.
public struct RetryPolicy: Sendable {
  /// Seconds to go on; 0 gives up at once.
  public var patience: Double
  /// Told once for each time that the storage is away.
  public var notice: (@Sendable (String) -> Void)?
  /// Asked before each new try; true ends the waiting with the error.
  public var isCancelled: @Sendable () -> Bool = { false }

  /// A policy.
  public init(patience: Double, notice: (@Sendable (String) -> Void)? = nil) {
    self.patience = patience
    self.notice = notice
  }

  /// Gives up at once.
  public static let none = RetryPolicy(patience: 0)

  /// Runs `body`, again and again while the storage does not answer and patience lasts.
  ///
  /// - Throws: what `body` throws.
  public func callAsFunction<Result>(_ body: () throws -> Result) throws -> Result {
    var watch = Stopwatch()
    var pause = 0.05
    var hasNoted = false
    while true {
      do {
        return try body()
      } catch let error as StudyError where error.isTransient {
        guard watch.seconds() < patience, !isCancelled() else { throw error }
        if !hasNoted {
          // Any number of seconds may be asked for, more than an `Int` shows too.
          notice?("\(error); trying again for \(NumberText.fixed(patience, decimals: 0)) s")
          hasNoted = true
        }
        usleep(UInt32(pause * 1e6))
        pause = min(pause * 1.6, 2)
      }
    }
  }
}
