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

  private static func finish(_ found: any Error) -> Never {
    #if TORCH
      let error = (found as? Refusal)?.error ?? found
      let code = Refusal.code(of: found).map { ExitCode($0) } ?? MUXNetCommand.exitCode(for: error)
    #else
      let error = found
      let code = MUXNetCommand.exitCode(for: error)
    #endif
    if code == .success {
      // Help, the version, a completion script.
      Console.result(MUXNetCommand.fullMessage(for: error))
      exit(Console.exitCodeOfOutput)
    }
    let message = ShownArguments.withoutSecrets(
      MUXNetCommand.message(for: error) + OptionHint.text(for: error)
        + OptionHint.negativeNumber(CommandLine.arguments, code))
    // An exit code without a message: the command has said what there is to say.
    if !message.isEmpty, !(error is ExitCode) { Console.error(message) }
    exit(code.rawValue)
  }
}
