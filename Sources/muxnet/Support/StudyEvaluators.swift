// SPDX-License-Identifier: Apache-2.0
import MUXStudies

#if TORCH
  import MUXConfiguration
  import MUXSearchTraining
#endif

/// Makes what evaluates the trials of a study.
enum StudyEvaluators {
  /// The evaluator of a study.
  static func make(_ study: Study) throws -> any TrialEvaluator {
    switch study.definition.evaluation {
    case .command(let line): return CommandEvaluator(line: line)
    case .table: return try TableEvaluator(study.definition)
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

  /// The classes that networks are to tell apart, where an evaluation says so.
  static func classCount(_ method: EvaluationMethod) throws -> Int? {
    #if TORCH
      if case .training(let settings) = method {
        return try TrainingEvaluator.classCount(settings: settings)
      }
    #endif
    return nil
  }

  /// The training of candidates by a recipe and more settings.
  static func training(
    recipe: String?, config: String?, assignments: [String]
  ) throws -> EvaluationMethod {
    #if TORCH
      var tree = ConfigurationTree()
      if let recipe { tree.overlay(try RecipeLibrary.load(recipe)) }
      if let config { tree.overlay(try ConfigurationTree(contentsOf: config)) }
      for assignment in assignments {
        try tree.set(assignment: assignment, source: .option("--set \(assignment)"))
      }
      guard recipe != nil || config != nil || !assignments.isEmpty else {
        throw CommandError(
          "say how networks are evaluated: --recipe digits_search (training) or --evaluate COMMAND")
      }
      return .training(settings: try TrainingEvaluator.settings(tree))
    #else
      throw CommandError(
        "this build has no libtorch, so networks cannot be trained; give --evaluate COMMAND, or"
          + " build without MUXNET_TORCH=0")
    #endif
  }
}
