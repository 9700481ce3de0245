// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch

/// Copies, new names and corrected evaluations of existing studies.
extension StudyCoordinator {
  /// Copies a study with its trials and the state of its algorithm. The copy goes on as the study would
  /// have; trials that are worked on wait again in it.
  ///
  /// - Throws: ``StudyError``.
  @discardableResult
  public func copy(_ study: Study, to name: String) throws -> Study {
    try Self.checkName(name)
    return try write(study) { transaction, study in
      var copy = Study(
        name: name, created: try transaction.now(), definition: study.definition,
        attributes: study.attributes)
      copy.id = try transaction.insert(copy)
      if let record = try transaction.algorithm(of: study.id) {
        try transaction.save(record, of: copy.id)
      }
      for step in try transaction.algorithmSteps(of: study.id, after: 0) {
        try transaction.append(step, of: copy.id)
      }
      for trial in try transaction.trials(of: study.id, in: [], limit: nil) {
        var own = trial
        if !trial.state.isFinished, trial.state != .waiting {
          own.state = .waiting
          own.attempt = 0
          own.worker = nil
          own.leaseEnd = nil
          own.attributes[Trial.heldKey] = nil
        }
        try transaction.insert(own, into: copy.id)
      }
      for report in try transaction.reports(of: study.id, resource: nil, trial: nil) {
        try transaction.insert(report, into: copy.id)
      }
      return copy
    }
  }

  /// Gives a study another name.
  ///
  /// - Throws: ``StudyError``.
  @discardableResult
  public func rename(_ study: Study, to name: String) throws -> Study {
    try Self.checkName(name)
    return try write(study) { transaction, study in
      guard try transaction.study(named: name) == nil else {
        throw StudyError.studyExists(name: name)
      }
      var renamed = study
      renamed.name = name
      try transaction.update(renamed)
      return renamed
    }
  }

  /// Corrects how networks are evaluated: another command, or other settings of the training. Results that
  /// are there stay; workers that are on the study begin with it at their next start.
  ///
  /// - Throws: ``StudyError/evaluation(reason:)`` for another kind of evaluation.
  public func setEvaluation(_ evaluation: EvaluationMethod, of study: Study) throws {
    if case .command(let line) = evaluation, line.allSatisfy(\.isWhitespace) {
      throw StudyError.evaluation(
        reason: "the command that evaluates is empty; give one, such as 'python3 evaluate.py'")
    }
    try write(study) { transaction, current in
      guard current.definition.evaluation.name == evaluation.name else {
        throw StudyError.evaluation(
          reason:
            "study '\(study.name)' evaluates by \(current.definition.evaluation.name), and its"
            + " results would not compare with those of a \(evaluation.name); make another study")
      }
      var changed = current
      changed.definition.evaluation = evaluation
      try transaction.update(changed)
    }
  }

  /// Sets attributes of a trial, such as a note; an empty text removes one.
  ///
  /// - Throws: ``StudyError``, also for one that the study itself keeps.
  public func setAttributes(
    _ attributes: [String: String], ofTrial number: Int, of study: Study
  ) throws {
    if let key = attributes.keys.sorted().first(where: Trial.isReserved) {
      throw StudyError.evaluation(
        reason: "the attribute '\(key)' is kept by the study itself; take another name")
    }
    try write(study) { transaction, study in
      guard var trial = try transaction.trial(number, of: study.id) else {
        throw StudyError.unknownTrial(
          study: study.name, number: number, count: try transaction.totals(of: study.id).trials)
      }
      for (key, value) in attributes {
        trial.attributes[key] = value.isEmpty ? nil : value
      }
      try transaction.update(trial, of: study.id)
    }
  }
}
