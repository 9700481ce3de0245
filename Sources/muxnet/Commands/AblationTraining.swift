// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import ArgumentParser
  import Foundation
  import MUXConfiguration
  import MUXCore
  import MUXNetworkFiles
  import MUXPaper
  import MUXSearch
  import MUXStudies

  /// The trainings of figure 8 as a study with a fixed list of networks, so that they go on over nights and
  /// machines.
  struct AblationTraining {
    private let definition: StudyDefinition
    private let training: TableTrainingOptions
    private let options: AblationOptions

    /// Images of each part in a check.
    private static let checkedImages = 128
    private static let recipe = "cifar10_ablation"

    /// The study of a check is another one.
    private var name: String { training.maxSteps == nil ? "figure8" : "figure8-check" }

    /// Plans the trainings; nothing is trained or written.
    init(_ training: TableTrainingOptions, _ options: AblationOptions) throws {
      self.training = training
      self.options = options
      for (option, value) in [
        ("weights", training.weights), ("folder", training.folder), ("only", training.only),
      ] where value != nil {
        throw CommandError("--\(option) is for tables; leave it out for figure8")
      }
      var tree = try RecipeLibrary.load(Self.recipe)
      for assignment in training.assignments {
        try tree.set(assignment: assignment, source: .option("--set \(assignment)"))
      }
      func set(_ path: String, _ value: String?, _ option: String) throws {
        if let value { try tree.set(path, toText: value, source: .option(option)) }
      }
      try set("data.path", training.data, "--data")
      try set("device", training.device, "--device")
      if let steps = training.maxSteps {
        // A step an epoch, so that the last one is evaluated.
        try set("epochs", "\(steps)", "--max-steps")
        try set("batchSize", "\(Self.checkedImages)", "--max-steps")
        try set("data.limit", "\(Self.checkedImages)", "--max-steps")
      }
      let networks = try AblationNetwork.small.map { network in
        StudyGrid.Entry(
          network.name, settings: ["model.inputSize=\(network.inputSize)"],
          architecture: try NetworkFile.yaml(network.architecture))
      }
      let made = try StudyEvaluators.grid(
        networks, seeds: (0..<UInt64(options.seedCount)).map { $0 }, tree)
      definition = try StudyDefinition(grid: made.grid, evaluation: made.method)
    }

    /// What is to be done.
    func plan() throws -> String {
      var table = TextTable([
        ("NETWORK", .left), ("PARAMETERS", .right), ("MULTIPLY-ADDS", .right), ("INPUT", .right),
      ])
      let entries = definition.grid?.networks ?? []
      for (network, entry) in zip(AblationNetwork.small, entries) {
        table.append([
          network.name, Int(entry.costs[Metric.parameters.name] ?? 0).grouped,
          Int(entry.costs[Metric.multiplyAdds.name] ?? 0).grouped, "\(network.inputSize)",
        ])
      }
      return table.text
        + "\n\(entries.count) networks × \(options.seedCount) seeds = \(definition.limits.trials)"
        + " trainings by the recipe \(Self.recipe), study '\(name)' in \(try options.storage.url())"
    }

    /// Makes the study or goes on with it, until all is trained, or a signal or the time ends it.
    ///
    /// - Returns: The signal that asked to stop.
    func train() throws -> Int32? {
      try OpenFiles.require(20)
      StopRequest.watch()
      let coordinator = try options.storage.coordinator(for: .create, patience: 300)
      let study = try prepare(coordinator)
      let url = try options.storage.url()
      let ending = try ShownStudy.drive(
        study, coordinator,
        options: .init(
          workers: options.workerCount, timeBudget: options.timeBudget.map { $0 * 60 })
      ) { try SearchRunCommand.launchWorker(study, url, patience: 300) }
      return ending == .stopped ? StopRequest.signal ?? SIGINT : nil
    }

    private func prepare(_ coordinator: StudyCoordinator) throws -> Study {
      do { return try coordinator.create(name, definition) } catch StudyError.studyExists {
        let found = try coordinator.study(named: name)
        guard found.definition == definition else {
          throw CommandError(
            "study '\(name)' exists with other settings; go on with those, or give another storage with"
              + " --storage")
        }
        return found
      }
    }

    /// What is trained by now.
    func results() throws -> Ablation {
      let coordinator = try options.storage.coordinator(for: .read)
      let study = try coordinator.study(named: name)
      let trials = try coordinator.store.read { try $0.finishedTrials(of: study.id, from: 0) }
      let networks = Dictionary(
        AblationNetwork.small.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
      let results = trials.compactMap { trial -> AblationResult? in
        guard trial.state == .complete, let values = trial.objectives, values.count == 3,
          let point = study.definition.grid?.point(of: trial.genome),
          let network = networks[point.network.name]
        else { return nil }
        return AblationResult(
          network: network, seed: point.seed, accuracy: 1 - values[0] / 100,
          parameters: values[1], multiplyAdds: values[2])
      }
      let failed = trials.count { $0.state == .failed }
      return Ablation(
        results: results, planned: study.definition.limits.trials,
        remark: "\(training.data ?? "") by the recipe \(Self.recipe)"
          + (training.maxSteps == nil
            ? ""
            : "; a check of \(training.maxSteps ?? 0) steps, which says nothing about networks")
          + (failed == 0 ? "" : "; \(failed) failed, see muxnet search show \(name)"),
        command: "muxnet reproduce figure8 --data \(ShellWord.quoted(training.data ?? ""))")
    }
  }
#endif
