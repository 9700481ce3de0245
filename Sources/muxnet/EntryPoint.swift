// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CMUXStart
import Foundation

/// Runs the command line. ArgumentParser's own entry point would print errors over several lines;
/// here each is one line on the standard error.
///
/// What `CMUXStart` holds has run before: programs that train have started themselves once more, with
/// threads that do not spin for long.
@main
enum EntryPoint {
  static func main() {
    ShownArguments.hideSecrets()
    do {
      try EmptyArguments.refuse(Array(CommandLine.arguments.dropFirst()))
      var command = try MUXNetCommand.parseAsRoot()
      try command.run()
      exit(Console.exitCodeOfOutput)
    } catch {
      finish(error)
    }
  }

  private static func finish(_ error: any Error) -> Never {
    let code = MUXNetCommand.exitCode(for: error)
    if code == .success {
      // Help, the version, a completion script.
      Console.result(MUXNetCommand.fullMessage(for: error))
      exit(Console.exitCodeOfOutput)
    }
    ErrorLine.show(error, of: MUXNetCommand.self)
    #if TORCH
      exit((Refusal.code(of: error) ?? code).rawValue)
    #else
      exit(code.rawValue)
    #endif
  }
}
