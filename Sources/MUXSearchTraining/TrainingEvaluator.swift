// SPDX-License-Identifier: Apache-2.0
import Foundation
package import MUXConfiguration
import MUXCore
import MUXEvaluation
import MUXNetworks
import MUXSearch
package import MUXStudies
import MUXTasks
import MUXTraining

/// Trains a candidate with the settings of a recipe; its error on the validation images counts: what is
/// missing to the best value of the metric that ranks, in percent, or its value where less is better.
///
/// The validation images are held out of the training set (`data.validationFraction`), and the test
/// images are never looked at, so that the search does not fit them.
package struct TrainingEvaluator: TrialEvaluator {
  private let configuration: TrainingConfiguration
  /// The same, before lists lay settings of their own over it.
  private let tree: ConfigurationTree

  /// An evaluator by settings that `TrainingEvaluator.settings(_:)` made.
  ///
  /// - Throws: an error of the settings.
  package init(settings: String) throws {
    tree = try ConfigurationTree(yaml: settings, source: .file("the study's training settings"))
    configuration = try tree.decode(TrainingConfiguration.self)
    try configuration.validate()
  }

  /// The settings that a study keeps: all of a run's, checked, as YAML. The path of the data is made
  /// absolute, since workers may run elsewhere.
  ///
  /// - Throws: an error of the settings, or `StudyError.evaluation` where nothing is held
  ///   out for validation.
  ///
  /// - Parameters:
  ///   - tree: The settings.
  ///   - holdsOut: Whether images apart from the test images have to be held out, since networks are chosen
  ///     by them; in a fixed list nothing is chosen.
  package static func settings(_ tree: ConfigurationTree, holdsOut: Bool = true) throws -> String {
    var configuration = try tree.decode(TrainingConfiguration.self)
    try configuration.validate()
    configuration.data.path = configuration.data.path.map(absolute)
    configuration.data = try configuration.data.resolved().settings
    if holdsOut { try requireValidation(configuration) }
    _ = try configuration.data.open(.training)
    return try ConfigurationText.yaml(configuration)
  }

  /// By text alone: `..` after a link leads elsewhere than its removal does.
  static func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
  }

  /// Refuses to judge networks by the test images.
  static func requireValidation(_ configuration: TrainingConfiguration) throws {
    guard configuration.data.validationFraction > 0 else {
      throw StudyError.evaluation(
        reason: "a search needs validation images apart from the test images; hold some out with"
          + " the setting data.validationFraction, such as 0.2")
    }
  }

  /// How many outputs the task of settings that `TrainingEvaluator.settings(_:)` made needs for the classes
  /// of its images: networks of a search end in as many.
  ///
  /// - Throws: an error of the settings or the data.
  package static func classes(settings: String) throws -> Int {
    let evaluator = try TrainingEvaluator(settings: settings)
    let classes = try evaluator.configuration.data.open(.training).classNames.count
    return evaluator.configuration.task.task.outputCount(classes: classes) ?? classes
  }

  /// Trains and gives the `error`, and the metrics of the task by name. The trial's attributes get the
  /// epochs, the loss and the seconds.
  package func evaluate(
    _ request: EvaluationRequest, _ context: EvaluationContext
  ) throws -> [String: Double] {
    let (configuration, network) = try training(of: request)
    // Gone also where this process is killed in the middle of it.
    let folder = try PassingFolder("muxnet-trial")
    defer { withExtendedLifetime(folder) {} }
    var settings = configuration
    settings.output.folder = folder.path
    settings.output.name = "trial-\(request.trial.number)"
    settings.output.tensorBoard = false
    if request.study.definition.earlyStopping == nil {
      // One evaluation, and one checkpoint, at the end.
      settings.evaluateEveryEpochs = settings.epochs
    }
    // The last epoch's scores are the result: there is nothing left to stop then.
    let observer = CandidateObserver(
      context, settings,
      reportedEpochs: request.study.definition.earlyStopping == nil ? 0 : settings.epochs - 1)
    let trainer = try Trainer(settings, network: network, observers: [observer])
    let stop = StopSignal()
    trainer.stop = stop
    observer.stop = stop
    let result = try trainer.run()
    guard let scores = result.last?.validation else {
      throw StudyError.evaluation(reason: "the training ended without scores")
    }
    let values = Self.objectives(scores, settings)
    context.note("epochs", "\(result.epochs)")
    context.note("seconds", NumberText.fixed(result.seconds, decimals: 2))
    if let loss = scores[Metric.loss] { context.note("loss", NumberText.fixed(loss, decimals: 5)) }
    return values
  }

  /// The settings and the network of a trial.
  private func training(
    of request: EvaluationRequest
  ) throws -> (TrainingConfiguration, Network) {
    if let point = request.point {
      return try GridTraining(base: tree).run(of: point.network, seed: point.seed)
    }
    guard let architecture = try request.architecture() else {
      throw StudyError.evaluation(reason: "the study's space has no networks to train")
    }
    return (configuration, try architecture.network())
  }

  /// What a study may ask for: the `error`, which is that of the ranking metric, and all metrics of the
  /// task under their names.
  static func objectives(
    _ scores: Scores, _ configuration: TrainingConfiguration
  ) -> [String: Double] {
    var values: [String: Double] = [:]
    for metric in configuration.task.task.metrics { values[metric.name] = scores[metric] }
    if let metric = try? configuration.rankingMetric, let value = scores[metric] {
      values[Metric.error.name] = metric.error(of: value)
    }
    return values
  }
}

/// Stops a training that nobody wants any more, or that is hopeless.
private final class CandidateObserver: TrainingObserver {
  private let context: EvaluationContext
  private let configuration: TrainingConfiguration
  private let reportedEpochs: Int
  var stop: StopSignal?

  init(
    _ context: EvaluationContext, _ configuration: TrainingConfiguration, reportedEpochs: Int
  ) {
    self.context = context
    self.configuration = configuration
    self.reportedEpochs = reportedEpochs
  }

  func handle(_ event: TrainingEvent) throws {
    if context.isCancelled { stop?.request() }
    guard case .epoch(let report) = event, report.epoch <= reportedEpochs,
      let scores = report.validation
    else { return }
    let decision = try context.report(
      report.epoch, TrainingEvaluator.objectives(scores, configuration))
    if decision == .stop { stop?.request() }
  }
}
