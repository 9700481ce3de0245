// SPDX-License-Identifier: Apache-2.0
import MUXCharts
import MUXSearch
public import MUXStudies

/// What reports and dashboards say of a study and its trials, in words and numbers.
public struct StudyView: Sendable {
  /// A decision of the space with the names of its choices.
  public struct Decision: Sendable, Hashable {
    /// Its place in genomes.
    public var index: Int
    /// Its name.
    public var name: String
    /// The names of its choices.
    public var choices: [String]
  }

  /// The study as it was when the view was made.
  public let study: Study
  /// What has come of it so far.
  public let history: StudyHistory
  /// The decisions that leave a choice.
  public let decisions: [Decision]
  private let domain: NetworkDomain?

  /// A view of a study at a moment.
  public init(_ study: Study, _ history: StudyHistory) {
    self.study = study
    self.history = history
    domain = study.definition.networkDomain
    if let domain {
      decisions = zip(domain.genes, domain.choiceTexts).enumerated().compactMap { index, pair in
        pair.1.count > 1 ? Decision(index: index, name: pair.0.name, choices: pair.1) : nil
      }
    } else if let grid = study.definition.grid {
      decisions = grid.choices.enumerated().compactMap { index, gene in
        gene.choices.count > 1
          ? Decision(index: index, name: gene.name, choices: gene.choices) : nil
      }
    } else {
      // A table's file need not be here; its choices are known by what was tried.
      let length = history.completed.map(\.genome.values.count).min() ?? 0
      decisions = (0..<length).compactMap { index in
        let most = history.completed.map { $0.genome.values[index] }.max() ?? 0
        return most == 0
          ? nil
          : Decision(
            index: index, name: "gene \(index + 1)", choices: (0...most).map(String.init))
      }
    }
  }

  /// Whether the user has named targets, instead of searching the whole front.
  public var hasTargets: Bool {
    if case .targets = study.definition.goal { return true }
    return false
  }

  /// The user's targets.
  var targets: [ReferenceTarget] {
    if case .targets(let targets) = study.definition.goal { return targets }
    return []
  }

  /// Whether a target is a budget.
  public func isBudget(_ target: String) -> Bool {
    targets.contains { $0.name == target && $0.kind == .budget }
  }

  /// The network's blocks as block strings, nil for a table.
  public func blocks(_ trial: Trial) -> [String]? {
    guard let architecture = try? domain?.architecture(trial.genome) else { return nil }
    return architecture.stages.joined().map { "\($0)" }
  }

  /// The network as one text: its block strings, or its genome for a table.
  public func network(_ trial: Trial) -> String {
    blocks(trial)?.joined(separator: " ") ?? "genome \(trial.genome.values)"
  }

  /// The objectives, such as `error 7.5 %, params 4.81k`.
  public func values(_ trial: Trial) -> String {
    zip(history.objectives, trial.objectives ?? []).map {
      "\($0.name) \(StudyText.value($1, of: $0))"
    }.joined(separator: ", ")
  }

  /// The names of the targets for which a trial is the best.
  public func leads(_ trial: Int) -> [String] {
    zip(history.targets, history.leaders).filter { $0.1?.trial.number == trial }.map(\.0)
  }

  /// Of the targets for which a trial is the best, whether it keeps their values and by how much; of any
  /// other trial, the targets whose values it keeps.
  public func fits(_ trial: Trial) -> String {
    let all = targets.map { TargetFit(trial, $0, history.objectives) }
    let leads = leads(trial.number)
    let own = all.filter { leads.contains($0.target.name) }
    guard own.isEmpty else {
      return own.map { own.count > 1 ? "\($0.target.name) \($0.text)" : $0.text }
        .joined(separator: "; ")
    }
    return all.filter(\.isWithin).map(\.target.name).joined(separator: ", ")
  }

  /// A trial in a few lines: number, numbers, how it fits the targets that it is best for, network.
  public func text(_ trial: Trial) -> String {
    let leads = hasTargets ? leads(trial.number) : []
    let title =
      "trial \(trial.number)" + (leads.isEmpty ? "" : ", best for \(leads.joined(separator: ", "))")
    let fits = leads.isEmpty ? [] : [fits(trial)]
    return ([title, values(trial)] + fits + [network(trial)]).joined(separator: "\n")
  }

  /// The trials that a table shows first: the best of the targets, then the rest of the front by the
  /// first objective.
  public var finest: [Trial] {
    var seen: Set<Int> = []
    let best = history.leaders.compactMap { $0?.trial }
    let front = history.front.map { history.completed[$0] }
      .sorted {
        ($0.objectives?.first ?? 0, $0.number) < ($1.objectives?.first ?? 0, $1.number)
      }
    return ((hasTargets ? best : []) + front).filter { seen.insert($0.number).inserted }
  }
}

extension Objective {
  /// How an axis writes its numbers.
  var axisFormat: AxisFormat { metric.format == .scaled ? .metric : .plain }

  /// The title of an axis, with the unit.
  var axisTitle: String {
    metric.unit.isEmpty ? metric.label : "\(metric.label) (\(metric.unit))"
  }
}
