// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import ArgumentParser
  import Foundation
  import MUXTensor
  import MUXTraining

  /// What becomes of an error of a process that was started with others, before it trains anything: settings
  /// that do not fit, data or weights that are not there.
  enum Refusal {
    /// Prepares what several processes do together. Where one cannot, it shows why, and the others are told:
    /// they would wait for it.
    ///
    /// - Parameters:
    ///   - command: The command that does so.
    ///   - prepare: Finds the others by what it is given, once it knows the settings.
    /// - Throws: An exit code where the error has been shown.
    static func telling<Result>(
      of command: (some ParsableCommand).Type,
      _ prepare: (_ join: (DistributedConfiguration) throws -> ProcessGroup) throws -> Result
    ) throws -> Result {
      var joined: ProcessGroup?
      do {
        return try prepare { settings in
          let group = try ProcessOptions.group(settings)
          joined = group
          return group
        }
      } catch {
        let environment = ProcessInfo.processInfo.environment
        guard !isKnownToOthers(error),
          let place = try? ProcessPlace.given(by: environment)
        else { throw error }
        let line = ErrorLine.show(error, of: command)
        // Who has not come as far as the settings finds the others without.
        (joined ?? (try? ProcessGroup(place, timeout: 60)))?.refuse(line)
        // It is the same in the other processes, and in the next attempt; what went well once may do so again.
        let isFinal =
          environment[LaunchedEnding.variable] != nil
          && environment["TORCHELASTIC_RESTART_COUNT"] == "0"
        throw isFinal
          ? ExitCode(LaunchedEnding.refused) : command.exitCode(for: error)
      }
    }

    /// Whether an error is one of the processes together, which the others have, too, or cannot be told.
    private static func isKnownToOthers(_ error: any Error) -> Bool {
      switch error as? ProcessGroupError {
      case nil, .noInterface: false
      case .place, .unreachable, .lost, .differs, .refused: true
      }
    }

    /// The exit code that tells a launcher that it is not this process that failed; nil for another error.
    static func code(of error: any Error) -> ExitCode? {
      guard ProcessInfo.processInfo.environment[LaunchedEnding.variable] != nil else { return nil }
      return switch error as? ProcessGroupError {
      case .lost, .refused: ExitCode(LaunchedEnding.noticed)
      default: nil
      }
    }
  }
#endif
