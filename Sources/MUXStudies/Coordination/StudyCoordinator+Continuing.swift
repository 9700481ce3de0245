// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXSearch

/// A new study that begins with what another one has learned.
extension StudyCoordinator {
  /// The complete trials of another study as trials of a new one, told to its algorithm: objectives by
  /// name, what follows from the network computed anew.
  ///
  /// - Throws: `SearchError.space` for another space, with the first gene that differs;
  ///   ``StudyError/evaluation(reason:)`` where the trials lack an objective, or have it in another unit.
  func inherited(
    from study: Study, by algorithm: inout any SearchAlgorithm, of definition: StudyDefinition,
    _ problem: SearchProblem
  ) throws -> [Trial] {
    try Self.checkSameSpace(study.definition, definition)
    try Self.checkSameUnits(study, problem.objectives)
    let trials = try retry {
      try store.read { try $0.finishedTrials(of: study.id, from: 0) }
    }.filter { $0.state == .complete }
    let names = study.definition.objectives.map(\.name)
    var made: [Trial] = []
    for old in trials {
      let network = UnmeasuredNetwork(genome: old.genome, key: problem.domain.key(of: old.genome))
      // One that is over a limit of the new study has no place in it.
      guard problem.domain.canonical(old.genome) != nil else { continue }
      let measured = Dictionary(
        zip(names, old.objectives ?? []), uniquingKeysWith: { first, _ in first })
      let known = problem.domain.knownObjectives(of: old.genome)
      let values = try problem.objectives.enumerated().map { index, objective in
        if let value = known?[index], !value.isNaN { return value }
        guard
          let value = measured[objective.name]
            ?? old.attributes[objective.name].flatMap(Double.init),
          objective.metric.defect(of: value) == nil
        else {
          throw StudyError.evaluation(
            reason:
              "trial \(old.number) of study '\(study.name)' has no '\(objective.name)', which the"
              + " new study makes small; it has \(names.joined(separator: ", "))")
        }
        return value
      }
      guard let candidate = algorithm.adopt(network) else { continue }
      try algorithm.tell([
        Evaluation(id: candidate.id, objectives: values, violation: old.violation)
      ])
      var trial = Trial(candidate, created: old.created)
      trial.state = .complete
      trial.objectives = values
      trial.violation = old.violation
      trial.attempt = old.attempt
      trial.worker = old.worker
      trial.started = old.started
      trial.finished = old.finished
      trial.finishOrder = made.count
      trial.isTold = true
      trial.attributes = old.attributes
      trial.attributes["from"] = "\(study.name), trial \(old.number)"
      made.append(trial)
    }
    return made
  }

  /// Refuses objectives that a study has in another unit or direction: their values would be mixed. What
  /// follows from the network is computed anew.
  private static func checkSameUnits(_ study: Study, _ objectives: [Objective]) throws {
    func text(_ metric: Metric) -> String {
      "\(metric.name):\(metric.direction == .higher ? "maximize" : "minimize"):\(metric.unit)"
    }
    for objective in objectives where objective.weights == nil {
      let former = study.definition.objectives.first { $0.name == objective.name }?.metric
      guard let former, text(former) != text(objective.metric) else { continue }
      throw StudyError.evaluation(
        reason:
          "study '\(study.name)' has \(text(former)), and the new one \(text(objective.metric));"
          + " give unit and direction as they are there, or another name")
    }
  }

  /// Refuses two studies of different spaces, with the first gene that differs.
  ///
  /// - Throws: `SearchError.space`.
  public func checkSameSpace(_ study: Study, as other: Study) throws {
    try Self.checkSameSpace(study.definition, other.definition)
  }

  private static func checkSameSpace(_ old: StudyDefinition, _ new: StudyDefinition) throws {
    let (former, wanted) = (try old.namedChoices(), try new.namedChoices())
    func fail(_ reason: String) -> SearchError {
      .space(path: new.spaceName, reason: "is not the space of the other study: \(reason)")
    }
    for (one, other) in zip(former, wanted) {
      guard one.name == other.name else {
        throw fail("its gene '\(other.name)' is '\(one.name)' there")
      }
      guard one.choices == other.choices else {
        throw fail("the choices of '\(one.name)' are \(other.choices), and \(one.choices) there")
      }
    }
    guard former.count == wanted.count else {
      throw fail("it has \(wanted.count) genes, and \(former.count) there")
    }
  }
}

extension StudyDefinition {
  /// The name of the space or table.
  var spaceName: String {
    switch space {
    case .networks(let space, _): space.name
    case .table(let name, _): name
    case .grid: "the list"
    }
  }

  /// The genes with what their choices mean; for a table without names of choices, their numbers.
  func namedChoices() throws(SearchError) -> [(name: String, choices: [String])] {
    switch space {
    case .networks:
      guard let domain = networkDomain else { return [] }
      return zip(domain.genes, domain.choiceTexts).map { ($0.name, $1) }
    case .table(let name, _):
      return Self.tableGenes(name).map { gene in
        (gene.name, Self.tableChoices(name) ?? (0..<gene.choices).map(String.init))
      }
    case .grid(let grid): return grid.choices
    }
  }

  /// What the choices of a table's genes are called, where they are the same for all.
  private static func tableChoices(_ name: String) -> [String]? {
    name == "nas-bench-macro"
      ? ["identity", "expansion 3, kernel 3", "expansion 6, kernel 5"]
      : NASBench201.Operation.allCases.map(\.name)
  }
}
