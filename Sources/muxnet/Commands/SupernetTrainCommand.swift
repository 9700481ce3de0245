// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import ArgumentParser
  import MUXConfiguration
  import MUXSearchTraining
  import MUXTensor
  import MUXTraining

  /// Trains a super-network.
  struct SupernetTrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "train",
      abstract: "Train weights that all networks of a space share.",
      discussion: """
        An ordinary run whose own network is the largest of the space; supernet.safetensors and \
        space.yaml are written beside its weights. Settings are those of muxnet train, and \
        supernet.*: each step trains the largest network, the smallest and some random ones \
        (supernet.rule=sandwich), or a single random one. muxnet train --resume continues it.

        EXAMPLES
          muxnet search supernet train digits --recipe digits_supernet
          muxnet search supernet train small --recipe cifar10_supernet --data cifar10 --max-madds 50M
        """)

    @Argument(help: "digits, small, imagenet or a YAML file.", completion: .file())
    var space: String

    @OptionGroup var options: ConfigurationOptions

    @Option(help: "The most parameters of a network to train, such as 400k.")
    var maxParams: String?

    @Option(help: "The most multiply-adds of a network to train, such as 50M.")
    var maxMadds: String?

    @OptionGroup var several: ProcessOptions

    @Flag(help: "Print the settings as YAML and stop.")
    var dryRun = false

    @Flag(name: [.short, .long], help: "No progress, only warnings and errors.")
    var quiet = false

    @OptionGroup var output: OutputOptions

    func validate() throws {
      if dryRun {
        try UnusedOptions.refuse([("json", output.json)], because: "--dry-run prints YAML")
      }
      let given = options.given(except: []).filter {
        ["--model", "--initial-weights"].contains($0)
      }
      if !given.isEmpty {
        throw ValidationError(
          "a super-network's networks are those of the space; leave out"
            + " \(given.joined(separator: ", "))")
      }
    }

    func run() throws {
      if dryRun {
        let text = try ConfigurationText.yaml(try settings())
        return Console.result(text.trimmingCharacters(in: .newlines))
      }
      if several.isAsked {
        // Said here and once, rather than by each of them.
        _ = try settings()
        return try several.launch()
      }
      try TrainCommand.finish(
        Refusal.telling(of: Self.self) { join in
          let known = try settings()
          return try makeTrainer(known, join(known.distributed))
        }, json: output.json)
    }

    /// The settings, from all their sources.
    private func settings() throws -> TrainingConfiguration {
      var tree = try options.tree()
      try tree.set("supernet.space", toText: space, source: .option("SPACE"))
      for (name, text, path) in [
        ("--max-params", maxParams, "supernet.maximumParameters"),
        ("--max-madds", maxMadds, "supernet.maximumMultiplyAdds"),
      ] {
        guard let text else { continue }
        try tree.set(path, toText: "\(try StudyOptions.count(text, name))", source: .option(name))
      }
      return try tree.decode(TrainingConfiguration.self)
    }

    private func makeTrainer(
      _ settings: TrainingConfiguration, _ group: ProcessGroup
    ) throws -> Trainer {
      StopSignal.watch()
      let observers = TrainCommand.observers(
        everySteps: settings.output.logEverySteps, quiet: quiet, group)
      return
        try Trainer.earlierAttempt(settings, group).map {
          try SupernetTraining.trainer(resuming: $0, observers: observers, group: group)
        } ?? SupernetTraining.trainer(settings, observers: observers, group: group)
    }
  }
#endif
