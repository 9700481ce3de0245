// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import MUXStudies

#if TORCH
  import MUXConfiguration
  import MUXSearchTraining
#endif

/// Makes what evaluates the trials of a study.
enum StudyEvaluators {
  /// The evaluator of a study.
  ///
  /// - Parameters:
  ///   - study: The study.
  ///   - command: The command of this worker's user, nil for the one that the study keeps.
  ///   - storage: The address for commands that shall get it.
  static func make(
    _ study: Study, command: String? = nil, passing storage: StorageURL? = nil
  ) throws -> any TrialEvaluator {
    switch study.definition.evaluation {
    case .command(let line): return CommandEvaluator(line: command ?? line, passing: storage)
    case .code(let name):
      throw CommandError(
        "study '\(study.name)' is evaluated by '\(name)', code of the program that made it; run its"
          + " workers")
    case .training where command != nil, .table where command != nil,
      .supernet where command != nil:
      throw CommandError(
        "study '\(study.name)' evaluates by \(study.definition.evaluation.name), not by a command;"
          + " leave out --evaluate")
    case .table: return try TableEvaluator(study.definition)
    case .supernet(let run, let digest):
      #if TORCH
        return try SupernetEvaluator(
          run: run, digest: digest, space: study.definition.networkDomain?.space)
      #else
        _ = digest
        throw CommandError(
          "study '\(study.name)' evaluates by the super-network in \(run), and this build has no"
            + " libtorch; build without MUXNET_TORCH=0")
      #endif
    case .training(let settings):
      #if TORCH
        return try TrainingEvaluator(settings: settings)
      #else
        _ = settings
        throw CommandError(
          "study '\(study.name)' trains its networks, and this build has no libtorch; build without"
            + " MUXNET_TORCH=0")
      #endif
    }
  }

  /// How many classes the images of an evaluation have; nil where that is not known here.
  static func classes(of evaluation: EvaluationMethod) throws -> Int? {
    #if TORCH
      if case .training(let settings) = evaluation {
        return try TrainingEvaluator.classes(settings: settings)
      }
    #endif
    return nil
  }

  /// The evaluation by the super-network of a run, and its space.
  ///
  /// - Parameters:
  ///   - run: The run's folder.
  ///   - space: The space of the study; nil takes that of the super-network.
  static func supernet(
    run: String, space: NetworkSpace?
  ) throws -> (method: EvaluationMethod, space: NetworkSpace) {
    #if TORCH
      let path =
        run.hasPrefix("/") ? run : "\(FileManager.default.currentDirectoryPath)/\(run)"
      let supernet = try Supernet(run: path)
      var space = space ?? supernet.space
      // A space is for as many classes as the images have.
      space.classes = supernet.space.classes
      try supernet.require(space)
      return (.supernet(run: path, digest: supernet.digest), space)
    #else
      throw CommandError(
        "this build has no libtorch, so a super-network cannot be used; give --evaluate COMMAND, or"
          + " build without MUXNET_TORCH=0")
    #endif
  }

  /// The training of candidates by a recipe and more settings.
  static func training(
    recipe: String?, config: String?, assignments: [String], data: String? = nil
  ) throws -> EvaluationMethod {
    #if TORCH
      let tree = try settings(recipe, config, assignments, data)
      return .training(settings: try TrainingEvaluator.settings(tree))
    #else
      throw CommandError(
        "this build has no libtorch, so networks cannot be trained; give --evaluate COMMAND, or"
          + " build without MUXNET_TORCH=0")
    #endif
  }

  /// The list of a file, and how its networks are trained.
  static func grid(
    _ path: String, recipe: String?, config: String?, assignments: [String], data: String?
  ) throws -> (grid: StudyGrid, method: EvaluationMethod) {
    #if TORCH
      let list = try GridFile.read(path)
      return try grid(
        list.networks, seeds: list.seeds, settings(recipe, config, assignments, data))
    #else
      throw CommandError(
        "this build has no libtorch, so the networks of \(path) cannot be trained; build without"
          + " MUXNET_TORCH=0")
    #endif
  }

  #if TORCH
    /// A list of networks, and how they are trained.
    static func grid(
      _ networks: [StudyGrid.Entry], seeds: [UInt64], _ tree: ConfigurationTree
    ) throws -> (grid: StudyGrid, method: EvaluationMethod) {
      let settings = try TrainingEvaluator.settings(tree, holdsOut: false)
      let base = try ConfigurationTree(yaml: settings, source: .option("the settings"))
      return (
        try GridTraining(base: base).grid(of: networks, seeds: seeds),
        .training(settings: settings)
      )
    }

    private static func settings(
      _ recipe: String?, _ config: String?, _ assignments: [String], _ data: String?
    ) throws -> ConfigurationTree {
      var tree = ConfigurationTree()
      if let recipe { tree.overlay(try RecipeLibrary.load(recipe)) }
      if let config { tree.overlay(try ConfigurationTree(contentsOf: config)) }
      for assignment in assignments {
        try tree.set(assignment: assignment, source: .option("--set \(assignment)"))
      }
      try tree.set(data: data, source: nil)
      guard recipe != nil || config != nil || !assignments.isEmpty else {
        throw CommandError(
          "say how networks are evaluated: --recipe digits_search (training) or --evaluate COMMAND")
      }
      return tree
    }
  #endif
}
