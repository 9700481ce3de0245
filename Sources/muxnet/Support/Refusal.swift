// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import Foundation
  import MUXTensor

  /// An error of a process that a launcher of this program has started, before it trains anything: settings
  /// that do not fit, data or weights that are not there. It would be the same in the next attempt, and is the
  /// same in the other processes.
  struct Refusal: Error {
    /// The error itself, whose line is shown once for all processes.
    let error: any Error

    /// Makes an error a refusal, where it is one.
    static func telling<Result>(_ prepare: () throws -> Result) throws -> Result {
      do { return try prepare() } catch let error as ProcessGroupError { throw error } catch {
        let environment = ProcessInfo.processInfo.environment
        // What went well once may do so again.
        guard environment[LaunchedEnding.variable] != nil,
          environment["TORCHELASTIC_RESTART_COUNT"] == "0"
        else {
          throw error
        }
        throw Refusal(error: error)
      }
    }

    /// The exit code that tells a launcher what an error is; nil for one of no such kind.
    static func code(of error: any Error) -> Int32? {
      if error is Refusal { return LaunchedEnding.refused }
      if case ProcessGroupError.lost = error,
        ProcessInfo.processInfo.environment[LaunchedEnding.variable] != nil
      {
        return LaunchedEnding.noticed
      }
      return nil
    }
  }
#endif
