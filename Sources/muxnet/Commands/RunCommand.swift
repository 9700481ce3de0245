// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// Commands about runs of training.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Look at runs of training.",
    subcommands: [RunListCommand.self, RunReportCommand.self, RunCompareCommand.self])
}
