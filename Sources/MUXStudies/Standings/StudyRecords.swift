// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
package import MUXSearch

/// A trial as it is shown to people and other programs: times in ISO 8601, objectives by name.
package struct TrialRecord: Sendable, Codable, Hashable {
  /// The trial's number.
  package var number: Int
  package var state: TrialState
  /// The network's key, in hexadecimal.
  package var key: String
  /// The choices by the names of the genes.
  package var genes: [String: Int]
  /// What the choices mean, such as the width 16, by the names of the genes.
  package var choices: [String: ChoiceValue]
  /// The network's blocks as block strings, nil for a table.
  package var blocks: [String]?
  /// The target for which it was made.
  package var target: String?
  /// The objectives by name.
  package var objectives: [String: Double]?
  /// By how much measured constraints are broken.
  package var violation: Double
  /// How often it was begun.
  package var attempt: Int
  package var worker: String?
  /// When it was asked for.
  package var created: String
  /// When its last attempt began.
  package var started: String?
  /// When it was finished.
  package var finished: String?
  /// Seconds of its last attempt.
  package var seconds: Double?
  /// Why it failed or was pruned.
  package var reason: String?
  package var attributes: [String: String]
}

/// A study as it is shown to people and other programs.
package struct StudyRecord: Sendable, Encodable, Hashable {
  /// A target's best network.
  package struct Best: Sendable, Codable, Hashable {
    package var target: String
    package var trial: Int
    /// g of PBI for a direction, the excess over the limits for a budget.
    package var value: Double
    /// Its objectives by name.
    package var objectives: [String: Double]
    /// `direction` or `budget`; nil where the user named no targets.
    package var kind: ReferenceTarget.Kind?
    /// Whether none of its values is worse than the target's.
    package var within: Bool?
    /// For each value that the target names, the difference as a share of it.
    package var difference: [String: Double]?
  }

  package var name: String
  /// When it was made.
  package var created: String
  /// What is searched, and how.
  package var definition: StudyDefinition
  package var attributes: [String: String]
  /// How many trials are in each state.
  package var trials: [String: Int]
  /// See ``StudyStandings/hypervolume``.
  package var hypervolume: Double
  /// The numbers of the trials on the Pareto front.
  package var front: [Int]
  /// The best of each target.
  package var best: [Best]

  private enum CodingKeys: String, CodingKey {
    case name, created, definition, attributes, trials, hypervolume, front, best
  }

  /// Writes the record, the definition without the `_0` of Swift's coding.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(created, forKey: .created)
    try container.encode(PlainJSON(definition), forKey: .definition)
    try container.encode(attributes, forKey: .attributes)
    try container.encode(trials, forKey: .trials)
    try container.encode(hypervolume, forKey: .hypervolume)
    try container.encode(front, forKey: .front)
    try container.encode(best, forKey: .best)
  }
}

/// Makes records of a study's trials.
package struct StudyRecorder: Sendable {
  private let definition: StudyDefinition
  private let genes: [Gene]
  /// For each gene what its choices mean.
  private let meanings: [[ChoiceValue]]
  private let domain: NetworkDomain?
  private let targets: [String]

  package init(_ definition: StudyDefinition) throws(SearchError) {
    self.definition = definition
    domain = definition.networkDomain
    if let domain {
      genes = domain.genes
    } else {
      genes = try definition.problem().domain.genes
    }
    let isOrdered = genes.map(\.isOrdered)
    let isTable = domain == nil
    meanings = try definition.namedChoices().enumerated().map { place, gene in
      gene.choices.map { ChoiceValue($0, isOrdered: !isTable && isOrdered[place]) }
    }
    targets = try definition.decomposition().names
  }

  package func record(_ trial: Trial) -> TrialRecord {
    TrialRecord(
      number: trial.number, state: trial.state, key: trial.key.description,
      genes: Dictionary(
        zip(genes.map(\.name), trial.genome.values), uniquingKeysWith: { first, _ in first }),
      choices: Dictionary(
        zip(genes.map(\.name), meanings(trial)), uniquingKeysWith: { first, _ in first }),
      blocks: blocks(trial),
      target: trial.subproblem.flatMap { targets.indices.contains($0) ? targets[$0] : nil },
      objectives: trial.objectives.map(named), violation: trial.violation, attempt: trial.attempt,
      worker: trial.worker, created: Self.text(trial.created),
      started: trial.started.map(Self.text),
      finished: trial.finished.map(Self.text), seconds: trial.seconds, reason: trial.reason,
      attributes: trial.attributes)
  }

  package func record(_ standings: StudyStandings) -> StudyRecord {
    StudyRecord(
      name: standings.study.name, created: Self.text(standings.study.created),
      definition: standings.study.definition, attributes: standings.study.attributes,
      trials: Dictionary(
        uniqueKeysWithValues: TrialState.allCases.map {
          ($0.rawValue, standings.counts[$0] ?? 0)
        }),
      hypervolume: standings.hypervolume, front: standings.front.map(\.number),
      best: standings.best.map {
        .init(
          target: $0.target, trial: $0.trial.number,
          value: $0.fit?.target.kind == .budget ? Budget.excess(in: $0.value) ?? 0 : $0.value,
          objectives: named($0.trial.objectives ?? []), kind: $0.fit?.target.kind,
          within: $0.fit?.isWithin,
          difference: $0.fit.map {
            Dictionary(
              $0.parts.map { ($0.objective, $0.difference) }, uniquingKeysWith: { old, _ in old })
          })
      })
  }

  /// All trials as a table in CSV (RFC 4180), a column for each objective and two for each gene: the
  /// number of its choice, and behind all of these what that means.
  package func csv(_ trials: [Trial]) -> String {
    let names = definition.objectives.map(\.name)
    let header =
      ["number", "state", "target"] + names + ["violation", "attempt", "seconds", "created"]
      + ["started", "finished", "worker", "reason", "key", "blocks"] + genes.map(\.name)
      + genes.map { "\($0.name).value" }
    return Self.line(header) + trials.map(csvLine).joined()
  }

  package func csvLine(_ trial: Trial) -> String {
    let names = definition.objectives.map(\.name)
    let record = record(trial)
    let values = names.map { name in record.objectives?[name].map { "\($0)" } ?? "" }
    var cells = ["\(record.number)", record.state.rawValue, record.target ?? ""] + values
    cells += ["\(record.violation)", "\(record.attempt)", record.seconds.map { "\($0)" } ?? ""]
    cells += [record.created, record.started ?? "", record.finished ?? "", record.worker ?? ""]
    cells += [record.reason ?? "", record.key, record.blocks?.joined(separator: " ") ?? ""]
    cells += trial.genome.values.map(String.init) + meanings(trial).map(\.description)
    return Self.line(cells)
  }

  private func meanings(_ trial: Trial) -> [ChoiceValue] {
    zip(meanings, trial.genome.values).map { choices, value in
      choices.indices.contains(value) ? choices[value] : .number(Double(value))
    }
  }

  private func blocks(_ trial: Trial) -> [String]? {
    guard let architecture = try? domain?.architecture(trial.genome) else { return nil }
    return architecture.stages.joined().map { "\($0)" }
  }

  private func named(_ values: [Double]) -> [String: Double] {
    Dictionary(
      zip(definition.objectives.map(\.name), values), uniquingKeysWith: { first, _ in first })
  }

  private static func line(_ cells: [String]) -> String {
    CSVRow.line(cells) + "\r\n"
  }

  private static func text(_ date: Date) -> String {
    date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }
}
