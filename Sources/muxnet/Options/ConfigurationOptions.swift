// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import ArgumentParser
  import MUXConfiguration
  import MUXTraining

  /// The settings of a run, from all their sources.
  struct ConfigurationOptions: ParsableArguments {
    @OptionGroup var sources: SettingSources

    @Option(help: "The network: a name of the zoo or a file.")
    var model: String?

    @Option(help: "Outputs of the classifier.")
    var classes: Int?

    @Option(help: "Width and height of the input in pixels.")
    var inputSize: Int?

    @Option(help: "Passes over the training data.")
    var epochs: Int?

    @Option(help: "Batch size.")
    var batchSize: Int?

    @Option(help: "The learning rate before the schedule.")
    var learningRate: Double?

    @Option(
      help: "Weights to start from: a file, a run, or a name from muxnet weights list.",
      completion: .file())
    var initialWeights: String?

    @Option(
      help: "A trained network to learn from: weights, or the folder of a run.", completion: .file()
    )
    var teacher: String?

    @Option(help: "Seed of weights, order, augmentation and dropout.")
    var seed: UInt64?

    @Option(help: "The device: cpu, cuda, cuda:1 or mps.")
    var device: String?

    @Option(help: "Threads of the tensor library; 0 takes one per core.")
    var threads: Int?

    @Option(help: "Stop cleanly, with everything saved, after this many minutes.")
    var timeBudget: Double?

    @Option(
      help: "Stop cleanly after this many optimizer steps, for a quick trial; 0 means no limit.")
    var maxSteps: Int?

    @Option(help: "The folder of all runs.", completion: .directory)
    var output: String?

    @Option(help: "The run's name; a number is appended if it exists.")
    var name: String?

    @Flag(help: "Replace an existing run of that name.")
    var overwrite = false

    /// The settings in layers: defaults, recipe, file, environment, options.
    func tree() throws -> ConfigurationTree {
      var tree = try sources.tree()
      for (option, path, value) in flags {
        if let value { try tree.set(path, toText: value, source: .option("--\(option)")) }
      }
      return tree
    }

    /// The settings, not yet checked.
    func unchecked() throws -> TrainingConfiguration {
      try tree().decode(TrainingConfiguration.self)
    }

    /// The settings, checked.
    ///
    /// - Parameter needsData: Whether it is an error that no data are named.
    func configuration(needsData: Bool = true) throws -> TrainingConfiguration {
      let configuration = try unchecked()
      var checked = configuration
      if !needsData { checked.data.path = checked.data.path ?? "." }
      try checked.validate()
      return configuration
    }

    /// The options that were given, but for some.
    func given(except allowed: Set<String>) -> [String] {
      let names = sources.given + flags.filter { $0.value != nil }.map(\.option)
      return names.filter { !allowed.contains($0) }.map { "--\($0)" }
    }

    private var flags: [(option: String, path: String, value: String?)] {
      [
        ("model", "model.name", model), ("classes", "model.classes", classes.map { "\($0)" }),
        ("input-size", "model.inputSize", inputSize.map { "\($0)" }),
        ("epochs", "epochs", epochs.map { "\($0)" }),
        ("batch-size", "batchSize", batchSize.map { "\($0)" }),
        ("learning-rate", "optimizer.learningRate", learningRate.map { "\($0)" }),
        ("initial-weights", "model.initialWeights", initialWeights),
        ("teacher", "distillation.teacher", teacher),
        ("seed", "seed", seed.map { "\($0)" }), ("device", "device", device),
        ("threads", "threads", threads.map { "\($0)" }),
        ("time-budget", "timeBudgetMinutes", timeBudget.map { "\($0)" }),
        ("max-steps", "maxSteps", maxSteps.map { "\($0)" }),
        ("output", "output.folder", output), ("name", "output.name", name),
        ("overwrite", "output.overwrite", overwrite ? "true" : nil),
      ]
    }
  }
#endif
