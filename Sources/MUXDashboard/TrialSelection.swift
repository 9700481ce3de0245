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

  private enum Comparison: Character, Sendable {
    case less = "<"
    case more = ">"
    case equal = "="
  }

  private struct Condition: Sendable, Hashable {
    var name: String
    var comparison: Comparison
    var text: String
    var number: Double?
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
      conditions.append(try Self.condition(part, objectives, genes))
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
    _ part: Substring, _ objectives: [String], _ genes: [String]
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
    return Condition(name: name, comparison: comparison, text: text, number: number)
  }

  /// The trials that are meant, in order; `trials` are the newest first.
  func chosen(_ trials: [Trial], of definition: StudyDefinition) -> [Trial] {
    let objectives = definition.objectives
    let target: ReferenceTarget? =
      if case .targets(let targets) = definition.goal {
        targets.first { $0.name == within }
      } else {
        nil
      }
    let kept = trials.filter { trial in
      if let state, trial.state != state { return false }
      if let target,
        trial.objectives == nil || !TargetFit(trial, target, objectives).isWithin
      {
        return false
      }
      return conditions.allSatisfy { holds($0, trial, definition) }
    }
    guard let sort else { return isDescending ? kept.reversed() : kept }
    let keyed = kept.map { ($0, value(sort, $0, objectives)) }
    // What has no value comes last either way.
    return keyed.sorted { left, right in
      guard let a = left.1 else { return false }
      guard let b = right.1 else { return true }
      return isDescending ? a > b : a < b
    }.map(\.0)
  }

  private func holds(
    _ condition: Condition, _ trial: Trial, _ definition: StudyDefinition
  ) -> Bool {
    let value = value(condition.name, trial, definition.objectives)
    if condition.comparison == .equal, value == nil,
      let choices = try? definition.choices(of: trial.genome), let choice = choices[condition.name]
    {
      if case .number(let number) = choice, let wanted = condition.number {
        return number == wanted
      }
      return choice.description == condition.text
    }
    var found = value
    if found == nil, let choices = try? definition.choices(of: trial.genome),
      case .number(let number)? = choices[condition.name]
    {
      found = number
    }
    guard let found, let wanted = condition.number else { return false }
    switch condition.comparison {
    case .less: return found < wanted
    case .more: return found > wanted
    case .equal: return found == wanted
    }
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
