// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import ArgumentParser
  import Foundation

  /// How the trainings of figure 8 are spread: a study, as a search is one.
  struct AblationOptions: ParsableArguments {
    @Option(help: "Figure 8: worker processes (default: the number of cores).")
    var workers: Int?

    @Option(
      help: ArgumentHelp(
        "Figure 8: stop after this many minutes and draw what is there; the same command continues.",
        valueName: "minutes"))
    var timeBudget: Double?

    @Option(help: "Figure 8: the number of seeds with which each network is trained (default: 5).")
    var seeds: Int?

    @OptionGroup var storage: StorageOptions

    func validate() throws {
      if let workers, !(1...1024).contains(workers) {
        throw ValidationError("--workers must be from 1 to 1024, not \(workers)")
      }
      if let timeBudget, !(timeBudget > 0) {
        throw ValidationError("--time-budget must be above 0 minutes, not \(timeBudget)")
      }
      if let seeds, !(1...1000).contains(seeds) {
        throw ValidationError("--seeds must be from 1 to 1000, not \(seeds)")
      }
    }

    /// The options that were given.
    var given: [String] {
      [
        ("workers", workers != nil), ("time-budget", timeBudget != nil), ("seeds", seeds != nil),
        ("storage", storage.storage != nil), ("ask-password", storage.askPassword),
      ].filter { $0.1 }.map { "--\($0.0)" }
    }

    /// The seeds with which each network is trained.
    var seedCount: Int { seeds ?? 5 }

    var workerCount: Int { workers ?? max(1, ProcessInfo.processInfo.activeProcessorCount) }
  }
#endif
