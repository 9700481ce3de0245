// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch

/// What the trials of a study have to look like. Databases can be edited by hand and copied badly:
/// a row that does not fit the space is an error at the door, so that nothing behind it has to fear
/// a genome that is too short or a number that overflows.
struct TrialShape: Sendable {
  private let genes: [Gene]
  private let objectives: [Objective]
  private let subproblems: Int

  /// Counts beyond this are no counts; sums of a few of them are still far from overflowing.
  static let largestCount = 1 << 40
  /// The seconds that dates can have: from 1970 to the end of the year 9999.
  static let seconds = 0.0...253_402_300_799

  init(_ definition: StudyDefinition) {
    genes = definition.genes
    objectives = definition.objectives
    subproblems = definition.goal.count(objectives: definition.objectives.count)
  }

  /// What is wrong with a trial, in words; nil if it fits.
  func defect(of trial: Trial) -> String? {
    let values = trial.genome.values
    if values.count != genes.count {
      return "its genome has \(values.count) genes, not \(genes.count)"
    }
    for (value, gene) in zip(values, genes) where !(0..<gene.choices).contains(value) {
      return "its gene '\(gene.name)' is \(value), not one of 0 to \(gene.choices - 1)"
    }
    if let values = trial.objectives {
      if values.count != objectives.count {
        return "it has \(values.count) objectives, not \(objectives.count)"
      }
      for (value, objective) in zip(values, objectives) where !value.isFinite {
        return "its objective '\(objective.name)' is \(value)"
      }
    } else if trial.state == .complete || trial.state == .pruned {
      return "it is \(trial.state.rawValue), but has no objectives"
    }
    if !trial.violation.isFinite { return "its violation is \(trial.violation)" }
    if let subproblem = trial.subproblem, !(0..<subproblems).contains(subproblem) {
      return "it was made for target \(subproblem) of \(subproblems)"
    }
    let counts = [
      ("number", trial.number), ("attempt", trial.attempt),
      ("place in the order of finishing", trial.finishOrder ?? 0),
    ]
    for (name, count) in counts where !(0...Self.largestCount).contains(count) {
      return "its \(name) is \(count)"
    }
    for date in [trial.created, trial.started, trial.finished, trial.leaseEnd].compactMap(\.self)
    where !Self.seconds.contains(date.timeIntervalSince1970) {
      return "one of its dates is \(date.timeIntervalSince1970) seconds after 1970"
    }
    return nil
  }
}

extension StudyDefinition {
  /// The decisions, which are known without a table's file.
  var genes: [Gene] {
    switch space {
    case .networks: networkDomain?.genes ?? []
    case .table(let name, _): Self.tableGenes(name)
    case .grid(let grid): grid.genes
    }
  }

  /// How many choices each decision has.
  var geneChoices: [Int] { genes.map(\.choices) }

  /// What is wrong with a definition that was kept, in words; nil if it can be worked with.
  var defect: String? {
    do {
      switch space {
      case .networks(let space, let quantities):
        if let defect = space.defect { return "its space: \(defect)" }
        if quantities.count > objectives.count {
          return "it has \(objectives.count) objectives for \(quantities.count) quantities"
        }
        _ = try problem()
      case .table(let name, _):
        if Self.tableGenes(name).isEmpty { return "there is no table '\(name)'" }
        if objectives.isEmpty { return "it has no objectives" }
        for objective in objectives where !(objective.scale > 0 && objective.scale.isFinite) {
          return "the scale of '\(objective.name)' is \(objective.scale)"
        }
      case .grid(let grid):
        if let defect = grid.defect { return "its list: \(defect)" }
        _ = try problem()
      }
      switch goal {
      case .targets: _ = try decomposition()
      case .wholeFront(let partitions):
        if !(1...200).contains(partitions) { return "it has \(partitions) partitions" }
      }
      try limits.validate()
    } catch {
      return "\(error)"
    }
    return nil
  }
}

extension SearchGoal {
  /// How many sub-problems it has, without making them.
  fileprivate func count(objectives: Int) -> Int {
    switch self {
    case .targets(let targets): return targets.count
    case .wholeFront(let partitions):
      // All mixtures in steps of 1 / partitions: so many ways to lay bars between the steps.
      var count = 1.0
      for bar in 0..<max(0, objectives - 1) {
        count = count * Double(partitions + objectives - 1 - bar) / Double(bar + 1)
      }
      return Int(exactly: count.rounded()) ?? .max
    }
  }
}
