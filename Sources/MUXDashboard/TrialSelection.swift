// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import MUXStudies

/// Which trials of a study a page lists, and in which order, as its address says:
/// `?state=complete&where=error<10,params<50k,stage1.width=16&within=small&sort=error&order=down`.
struct TrialSelection: Sendable, Hashable {
  /// What is wrong with an address, in words.
  struct Mistake: Error {
    var reason: String
  }

  fileprivate enum Comparison: Character, Sendable {
    case less = "<"
    case more = ">"
    case equal = "="
  }

  fileprivate struct Condition: Sendable, Hashable {
    var name: String
    var comparison: Comparison
    var text: String
    var number: Double?
    /// For a gene, its place and whether each of its choices is one that is meant.
    var gene: GeneCondition?
  }

  fileprivate struct GeneCondition: Sendable, Hashable {
    var place: Int
    var isMeant: [Bool]
  }

  var state: TrialState?
  /// The conditions as they were written.
  var text = ""
  var within: String?
  var sort: String?
  var isDescending = false
  private var conditions: [Condition] = []

  /// All trials, the newest first.
  init() {}

  /// What a query asks for.
  ///
  /// - Throws: ``Mistake``.
  init(_ query: [String: String], of definition: StudyDefinition) throws {
    let objectives = definition.objectives.map(\.name)
    let genes = definition.geneNames
    if let text = query["state"], !text.isEmpty {
      guard let known = TrialState(rawValue: text) else {
        let all = TrialState.allCases.map(\.rawValue).joined(separator: ", ")
        throw Mistake(reason: "there is no state '\(text)'; there are \(all)")
      }
      state = known
    }
    text = query["where"] ?? ""
    for part in text.split(separator: ",") {
      conditions.append(try Self.condition(part, objectives, genes, definition))
    }
    if let name = query["within"], !name.isEmpty {
      guard case .targets(let targets) = definition.goal,
        targets.contains(where: { $0.name == name })
      else { throw Mistake(reason: "there is no target '\(name)'") }
      within = name
    }
    if let name = query["sort"], !name.isEmpty {
      let known = ["number", "seconds"] + objectives
      guard known.contains(name) else {
        throw Mistake(
          reason: "'\(name)' is nothing to sort by; there are \(known.joined(separator: ", "))")
      }
      sort = name
    }
    isDescending = query["order"] == "down"
  }

  private static func condition(
    _ part: Substring, _ objectives: [String], _ genes: [String], _ definition: StudyDefinition
  ) throws -> Condition {
    guard let place = part.firstIndex(where: { Comparison(rawValue: $0) != nil }),
      let comparison = Comparison(rawValue: part[place])
    else {
      throw Mistake(reason: "'\(part)' is no condition; write such as error<10 or stage1.width=16")
    }
    let name = part[..<place].trimmingCharacters(in: .whitespaces)
    let text = part[part.index(after: place)...].trimmingCharacters(in: .whitespaces)
    guard (objectives + genes + ["number", "seconds"]).contains(name) else {
      throw Mistake(
        reason: "there is no '\(name)'; there are number, seconds,"
          + " \(objectives.joined(separator: ", ")) and the names of genes")
    }
    let number = (try? ReferenceTarget(parsing: "value=\(text)"))?.values["value"]
    guard comparison == .equal || number != nil else {
      throw Mistake(reason: "'\(text)' is no number, such as 10 or 50k")
    }
    var condition = Condition(name: name, comparison: comparison, text: text, number: number)
    if !objectives.contains(name), let gene = definition.meanings(ofGene: name) {
      condition.gene = GeneCondition(
        place: gene.place, isMeant: gene.choices.map { condition.holds($0) })
    }
    return condition
  }

  /// The places of the trials that are meant, in order. Only places are moved about, since a study may
  /// have a hundred thousand trials.
  func chosen(_ list: TrialList, of definition: StudyDefinition) -> [Int] {
    let objectives = definition.objectives
    let target: ReferenceTarget? =
      if case .targets(let targets) = definition.goal {
        targets.first { $0.name == within }
      } else {
        nil
      }
    var kept = Array(0..<list.count)
    if state != nil || target != nil || !conditions.isEmpty {
      kept.removeAll { place in
        let trial = list[place]
        if let state, trial.state != state { return true }
        if let target,
          trial.objectives == nil || !TargetFit(trial, target, objectives).isWithin
        {
          return true
        }
        return !conditions.allSatisfy { holds($0, trial, objectives) }
      }
    }
    guard let sort else { return isDescending ? kept.reversed() : kept }
    let values = kept.map { value(sort, list[$0], objectives) }
    // What has no value comes last either way, and equal ones keep their order.
    let without = values.indices.filter { values[$0] == nil }
    let keyed = values.enumerated().compactMap { place, value in value.map { ($0, place) } }
    let sorted = keyed.sorted { left, right in
      left.0 == right.0
        ? left.1 < right.1 : isDescending ? left.0 > right.0 : left.0 < right.0
    }
    return (sorted.map(\.1) + without).map { kept[$0] }
  }

  private func holds(
    _ condition: Condition, _ trial: Trial, _ objectives: [Objective]
  ) -> Bool {
    if let gene = condition.gene {
      let values = trial.genome.values
      guard values.indices.contains(gene.place), gene.isMeant.indices.contains(values[gene.place])
      else { return false }
      return gene.isMeant[values[gene.place]]
    }
    guard let found = value(condition.name, trial, objectives) else { return false }
    return condition.holds(found)
  }

  private func value(_ name: String, _ trial: Trial, _ objectives: [Objective]) -> Double? {
    switch name {
    case "number": return Double(trial.number)
    case "seconds": return trial.seconds
    default:
      guard let place = objectives.firstIndex(where: { $0.name == name }),
        let values = trial.objectives, values.indices.contains(place)
      else { return nil }
      return values[place]
    }
  }

  /// The same selection as a query, with another order.
  func query(sort: String? = nil, isDescending: Bool? = nil) -> String {
    let parts: [(String, String?)] = [
      ("state", state?.rawValue), ("where", text.isEmpty ? nil : text), ("within", within),
      ("sort", sort ?? self.sort), ("order", isDescending ?? self.isDescending ? "down" : nil),
    ]
    return parts.compactMap { name, value in
      value.map { "\(name)=\(DashboardPages.part($0))" }
    }.joined(separator: "&")
  }
}

extension TrialSelection.Condition {
  /// Whether a value is one that is meant.
  fileprivate func holds(_ found: Double) -> Bool {
    guard let number else { return false }
    switch comparison {
    case .less: return found < number
    case .more: return found > number
    case .equal: return found == number
    }
  }

  /// Whether a choice is one that is meant: by its number, or by its name.
  fileprivate func holds(_ choice: ChoiceValue) -> Bool {
    if case .number(let value) = choice, number != nil { return holds(value) }
    return comparison == .equal && choice.description == text
  }
}

/// All trials of a study without a copy of them: those that are not through, then those that are, each the
/// newest first.
struct TrialList: Sendable {
  private let active: [Trial]
  private let finished: [Trial]

  init(_ snapshot: DashboardModel.Snapshot) {
    active = snapshot.active
    finished = snapshot.finished
  }

  var count: Int { active.count + finished.count }

  subscript(place: Int) -> Trial {
    place < active.count
      ? active[active.count - 1 - place] : finished[finished.count - 1 - (place - active.count)]
  }
}
