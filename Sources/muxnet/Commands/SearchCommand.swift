// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// Everything that searches for networks.
struct SearchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search",
    abstract: "Search for networks under budgets of parameters and multiply-adds.",
    subcommands: [SearchBenchmarkCommand.self])
}
