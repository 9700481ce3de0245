// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// The one line that says what went wrong.
enum ErrorLine {
  /// Writes an error's line to the standard error.
  ///
  /// - Parameters:
  ///   - error: What went wrong.
  ///   - command: The command in which it did.
  /// - Returns: What it says; empty for an exit code, whose command has said what there is to say.
  @discardableResult
  static func show<Command: ParsableCommand>(_ error: any Error, of command: Command.Type) -> String
  {
    if error is ExitCode { return "" }
    let message = ShownArguments.withoutSecrets(
      command.message(for: error) + OptionHint.text(for: error)
        + OptionHint.negativeNumber(CommandLine.arguments, command.exitCode(for: error)))
    if !message.isEmpty { Console.error(message) }
    return message
  }
}
