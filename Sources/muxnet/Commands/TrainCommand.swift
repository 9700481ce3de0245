// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import ArgumentParser
  import Foundation
  import MUXConfiguration
  import MUXEvaluation
  import MUXSearchTraining
  import MUXTensor
  import MUXTraining

  /// Trains a network.
  struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "train",
      abstract: "Train a network.",
      discussion: """
        Settings come in layers, later ones win: defaults, --recipe, --config, environment variables \
        (MUXNET_OPTIMIZER__LEARNING_RATE is optimizer.learningRate), --set and the other options. An \
        unknown setting is an error. --dry-run prints them all and stops; muxnet settings explains \
        them.

        \(Self.recipes)

        The run's folder gets the settings, summary.csv, events for TensorBoard, checkpoints and the \
        best weights. Ctrl-C saves and exits with 130; --resume continues as if nothing had \
        happened, and refuses data that changed (changed images are accepted with --other-images). \
        Without a folder it takes the most recently active run in runs (or --output). With more \
        --epochs than it was started with, a run is extended, finished or not: from there on it \
        follows the schedule of its new length.

        Several processes train as one, started by --processes, torchrun, srun or mpirun: each makes its \
        share of every batch. Docs/DISTRIBUTED.md has the details.

        EXAMPLES
          muxnet train --recipe digits
          muxnet train --recipe imagenet_muxnet --data imagenet --device cuda
          muxnet train --config mine.yaml --set optimizer.learningRate=0.1 --epochs 20
          muxnet train --recipe photos --data photos --find-rate rates
          muxnet train --resume runs/muxnet_m
          muxnet train --resume runs/muxnet_m --epochs 200
          muxnet train --recipe digits --max-steps 20
          muxnet train --recipe digits --processes 2 --restarts 3
          torchrun --nproc-per-node 2 --no-python muxnet train --recipe digits
        """)

    private static let nameWidth = (ShippedRecipes.names.map(\.count).max() ?? 0) + 2

    /// The recipes inside the program, each with what it says of itself.
    private static let recipes =
      "RECIPES\n"
      + ShippedRecipes.names.map { name in
        "  " + name + String(repeating: " ", count: nameWidth - name.count)
          + (ShippedRecipes.summary(name) ?? "")
      }.joined(separator: "\n")

    @OptionGroup var options: ConfigurationOptions

    @Option(
      defaultAsFlag: "", parsing: .next,
      help: ArgumentHelp(
        "Resume the run in this folder, or without one the latest run.",
        valueName: "folder"),
      completion: .directory)
    var resume: String?

    @Flag(help: "With --resume: continue even if images were added, removed or replaced.")
    var otherImages = false

    @Option(
      help: ArgumentHelp(
        "Instead of training, try rising learning rates; write FILE.csv and FILE.svg.",
        valueName: "file"))
    var findRate: String?

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
      if findRate != nil {
        try UnusedOptions.refuse(
          several.given
            + ["epochs", "time-budget", "max-steps", "output", "name", "overwrite"].map {
              ($0, options.given(except: []).contains("--\($0)"))
            }, because: "--find-rate tries 100 steps, in this process, and makes no run")
      }
      guard let resume else {
        if otherImages { throw ValidationError("--other-images is for --resume") }
        return
      }
      let given =
        options.given(
          except: Set(
            ["threads", "time-budget", "epochs", "max-steps"] + (resume.isEmpty ? ["output"] : [])))
        + (dryRun ? ["--dry-run"] : []) + (findRate == nil ? [] : ["--find-rate"])
      if !given.isEmpty {
        throw ValidationError(
          "--resume goes on with the settings of the run; leave out \(given.joined(separator: ", "))"
        )
      }
    }

    func run() throws {
      if dryRun {
        let text = try ConfigurationText.yaml(
          try options.configuration(needsData: false))
        return Console.result(text.trimmingCharacters(in: .newlines))
      }
      if let findRate {
        StopSignal.watch()
        return try RateCurve(findRate).find(
          options.configuration(), quiet: quiet, json: output.json)
      }
      if several.isAsked {
        // Said here and once, rather than by each of them.
        if resume == nil { _ = try options.configuration() }
        try several.launch()
        return
      }
      try Self.finish(Refusal.telling(of: Self.self) { try makeTrainer($0) }, json: output.json)
    }

    /// Runs a training and says what became of it.
    static func finish(_ trainer: Trainer, json: Bool) throws {
      let configuration = trainer.configuration
      guard trainer.group.isFirst else {
        let code = try trainer.run().exitCode
        if code != 0 { throw ExitCode(code) }
        return
      }
      if let text = try configuration.precision.slowness(on: Device(name: configuration.device)) {
        Console.warning(text)
      }
      let result = try trainer.run()
      if json {
        try Console.json(result)
      } else {
        Console.result(result.weights ?? result.folder)
      }
      if result.exitCode != 0 {
        Console.note("go on with: muxnet train --resume \(ShellWord.quoted(result.folder))")
        throw ExitCode(result.exitCode)
      }
    }

    /// - Parameter join: Finds the processes of which this one is one.
    private func makeTrainer(
      _ join: (DistributedConfiguration) throws -> ProcessGroup
    ) throws -> Trainer {
      if let named = resume {
        let resume = try named.isEmpty ? latestRun() : named
        let group = try join(
          TrainingConfiguration(ofRun: RunFolder(existing: resume)).distributed)
        StopSignal.watch()
        let (threads, timeBudget) = (options.threads, options.timeBudget)
        do {
          return try SupernetTraining.trainer(
            resuming: resume,
            observers: Self.observers(everySteps: 50, quiet: quiet, group),
            allowsOtherImages: otherImages, group: group
          ) {
            if let threads { $0.threads = threads }
            if let timeBudget { $0.timeBudgetMinutes = timeBudget }
            if let epochs = options.epochs { $0.epochs = epochs }
            if let maxSteps = options.maxSteps { $0.maxSteps = maxSteps }
          }
        } catch let error as TrainingError {
          guard case .otherImages = error else { throw error }
          throw CommandError("\(error) with --other-images to go on all the same")
        }
      }
      let configuration = try options.unchecked()
      let group = try join(configuration.distributed)
      // Not before: who waits for the others ends at once.
      StopSignal.watch()
      let observers = Self.observers(
        everySteps: configuration.output.logEverySteps, quiet: quiet, group)
      // What the attempt before has left.
      if let run = try Trainer.earlierAttempt(configuration, group) {
        return try SupernetTraining.trainer(resuming: run, observers: observers, group: group)
      }
      return configuration.supernet.isEnabled
        ? try SupernetTraining.trainer(configuration, observers: observers, group: group)
        : try Trainer(configuration, observers: observers, group: group)
    }

    /// The run that was at work last.
    private func latestRun() throws -> String {
      let run = try RunFolder.latest(in: options.output ?? OutputConfiguration().folder)
      if !quiet { Console.note("going on with \(run.path)") }
      return run.path
    }

    /// The progress on the terminal, or warnings alone.
    static func observers(
      everySteps: Int, quiet: Bool, _ group: ProcessGroup
    ) -> [any TrainingObserver] {
      guard group.isFirst else { return [] }
      guard !quiet else { return [WarningObserver()] }
      let style = ProgressRenderer.Style(
        isTerminal: Console.errorIsTerminal, width: Console.errorWidth, everySteps: everySteps)
      return [ProgressRenderer(style: style) { Console.standardError($0) }]
    }
  }

  /// Shows warnings, and nothing else.
  private final class WarningObserver: TrainingObserver {
    func handle(_ event: TrainingEvent) {
      if case .warning(let text) = event { Console.warning(text) }
    }
  }
#endif
