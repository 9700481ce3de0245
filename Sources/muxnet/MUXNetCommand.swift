// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// The root of the command line.
@main
struct MUXNetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "muxnet",
    abstract: "Compact, fast image networks: train, evaluate, search and run MUXNet.")
}
