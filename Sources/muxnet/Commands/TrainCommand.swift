// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import ArgumentParser
  import Foundation
  import MUXConfiguration
  import MUXTraining

  /// Trains a network.
  struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "train",
      abstract: "Train a network.",
      discussion: """
        Settings come in layers, later ones win: defaults, --recipe, --config, environment \
        variables (MUXNET_OPTIMIZER__LEARNING_RATE is optimizer.learningRate), --set and the other \
        options. An unknown setting is an error. --dry-run prints them all and stops.

        The run's folder gets the settings, summary.csv, events for TensorBoard, checkpoints and \
        the best weights. Ctrl-C saves and exits with 130; --resume goes on as if nothing had \
        happened, and refuses data that changed (images only unless --other-images is given). With \
        more --epochs than it was begun with, a run is prolonged, finished or not: from there on it \
        follows the schedule of its new length.

        EXAMPLES
          muxnet train --recipe digits
          muxnet train --recipe imagenet_muxnet --data imagenet --device cuda
          muxnet train --config mine.yaml --set optimizer.learningRate=0.1 --epochs 20
          muxnet train --resume runs/muxnet_m
          muxnet train --resume runs/muxnet_m --epochs 200
          muxnet train --recipe digits --max-steps 20
        """)

    @OptionGroup var options: ConfigurationOptions

    @Option(
      help: ArgumentHelp("Go on with the run in this folder.", valueName: "folder"),
      completion: .directory)
    var resume: String?

    @Flag(help: "With --resume: go on also where images were added, removed or replaced.")
    var otherImages = false

    @Flag(help: "Print the settings as YAML and stop.")
    var dryRun = false

    @Flag(name: [.short, .long], help: "No progress, only warnings and errors.")
    var quiet = false

    @OptionGroup var output: OutputOptions

    func validate() throws {
      guard resume != nil else {
        if otherImages { throw ValidationError("--other-images is for --resume") }
        return
      }
      let given =
        options.given(except: ["threads", "time-budget", "epochs", "max-steps"])
        + (dryRun ? ["--dry-run"] : [])
      if !given.isEmpty {
        throw ValidationError(
          "--resume goes on with the settings of the run; leave out \(given.joined(separator: ", "))"
        )
      }
    }

    func run() throws {
      if dryRun {
        let text = try ConfigurationText.yaml(try options.configuration())
        return Console.result(text.trimmingCharacters(in: .newlines))
      }
      StopSignal.watch()
      let trainer = try makeTrainer()
      let result = try trainer.run()
      if output.json {
        try Console.json(result)
      } else {
        Console.result(result.weights ?? result.folder)
      }
      if result.exitCode != 0 {
        Console.note("go on with: muxnet train --resume \(result.folder)")
        throw ExitCode(result.exitCode)
      }
    }

    private func makeTrainer() throws -> Trainer {
      if let resume {
        let (threads, timeBudget) = (options.threads, options.timeBudget)
        do {
          return try Trainer(
            resuming: resume, observers: observers(everySteps: 50), allowsOtherImages: otherImages
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
      let configuration = try options.configuration()
      return try Trainer(
        configuration, observers: observers(everySteps: configuration.output.logEverySteps))
    }

    private func observers(everySteps: Int) -> [any TrainingObserver] {
      guard !quiet else { return [] }
      let style = ProgressRenderer.Style(
        isTerminal: Console.errorIsTerminal, width: Console.errorWidth, everySteps: everySteps)
      return [ProgressRenderer(style: style) { Console.standardError($0) }]
    }
  }
#endif
