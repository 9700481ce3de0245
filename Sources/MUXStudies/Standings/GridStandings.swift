// SPDX-License-Identifier: Apache-2.0
package import MUXSearch

/// What the networks of a list have come to over their seeds.
package struct GridStandings: Sendable, Hashable {
  /// A network of the list.
  package struct Row: Sendable, Hashable, Codable {
    /// What the list calls it.
    package var network: String
    /// With how many seeds it has a result.
    package var seeds: Int
    /// The mean of each objective by name; empty without a result.
    package var means: [String: Double]
    /// By how much they vary, the standard deviation of a sample; empty with fewer than two results.
    package var deviations: [String: Double]
  }

  /// With how many seeds each network is trained.
  package let planned: Int
  /// The networks, that of the best mean of the first objective first; those without a result last.
  package let rows: [Row]

  /// The standings of a study; nil where it is no list.
  package init?(_ standings: StudyStandings) {
    let definition = standings.study.definition
    guard let grid = definition.grid else { return nil }
    var values: [String: [[Double]]] = [:]
    for trial in standings.completed {
      guard let point = grid.point(of: trial.genome), let objectives = trial.objectives else {
        continue
      }
      values[point.network.name, default: []].append(objectives)
    }
    let objectives = definition.objectives
    func row(_ name: String) -> Row {
      let results = values[name] ?? []
      var row = Row(network: name, seeds: results.count, means: [:], deviations: [:])
      for (index, objective) in objectives.enumerated() where !results.isEmpty {
        let list = results.compactMap { $0.indices.contains(index) ? $0[index] : nil }
        let mean = list.reduce(0, +) / Double(list.count)
        row.means[objective.name] = mean
        guard list.count > 1 else { continue }
        let squares = list.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        row.deviations[objective.name] = (squares / Double(list.count - 1)).squareRoot()
      }
      return row
    }
    planned = grid.seeds.count
    let first = objectives.first
    func rank(_ row: Row) -> Double {
      guard let first, let mean = row.means[first.name] else { return .infinity }
      return first.metric.direction == .lower ? mean : -mean
    }
    rows = grid.networks.map { row($0.name) }.enumerated()
      .sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }.map(\.element)
  }

  /// An objective of a network as people read it: the mean, and how much it varies where it does.
  package static func text(_ row: Row, _ objective: Objective) -> String {
    guard let mean = row.means[objective.name] else { return "–" }
    let text = StudyText.value(mean, of: objective)
    guard let deviation = row.deviations[objective.name], deviation > 0 else { return text }
    return "\(text) ± \(StudyText.value(deviation, of: objective))"
  }
}
