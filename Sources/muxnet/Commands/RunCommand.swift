// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// Commands about runs of training.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "List, compare and report training runs.",
    subcommands: [RunListCommand.self, RunReportCommand.self, RunCompareCommand.self])
}
