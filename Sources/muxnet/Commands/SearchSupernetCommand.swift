// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// Weights that all networks of a space share.
struct SearchSupernetCommand: ParsableCommand {
  #if TORCH
    private static let parts: [any ParsableCommand.Type] = [
      SupernetTrainCommand.self, SupernetEvaluateCommand.self, SupernetExtractCommand.self,
    ]
  #else
    private static let parts: [any ParsableCommand.Type] = []
  #endif

  static let configuration = CommandConfiguration(
    commandName: "supernet",
    abstract: "Train weights that all networks of a space share, and judge networks by them.",
    discussion: """
      A super-network is trained once; after that every network of its space has weights without \
      training of its own, and a search evaluates one in seconds. Docs/SEARCH.md explains how \
      weights are shared and how far their ranking can be trusted.

      EXAMPLES
        muxnet search supernet train digits --recipe digits_supernet
        muxnet search run quick --supernet runs/muxnet_digits_supernet --trials 1000
        muxnet search supernet extract runs/muxnet_digits_supernet --study quick --trial 17 \\
          --output best.safetensors
        muxnet train --recipe digits --model best.yaml --initial-weights best.safetensors
      """,
    subcommands: parts)
}
