// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch

/// A line of JSON that an evaluation prints: its values, or a report of what it has reached on the way.
///
/// A value is a number, or a number with its unit (`{"value": 3.5, "unit": "mJ"}`); texts and anything else
/// are attributes of the trial.
struct PrintedValues {
  var values: [String: Double] = [:]
  /// What is none.
  var notes: [String: String] = [:]
  /// The units of the numbers that have one.
  var units: [String: String] = [:]
  /// The epochs (or another unit) that a report is of; nil for the result.
  var report: Int?

  private enum Value: Decodable {
    case number(Double), text(String), measured(Double, unit: String)

    private struct Measured: Decodable {
      var value: Double
      var unit: String
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let truth = try? container.decode(Bool.self) {
        self = .text(truth ? "true" : "false")
      } else if let number = try? container.decode(Double.self) {
        self = .number(number)
      } else if let text = try? container.decode(String.self) {
        self = .text(text)
      } else if container.decodeNil() {
        self = .text("null")
      } else if let measured = try? container.decode(Measured.self) {
        self = .measured(measured.value, unit: measured.unit)
      } else if let list = try? container.decode([Value].self) {
        self = .text("[\(list.map(\.text).joined(separator: ", "))]")
      } else {
        let entries = try container.decode([String: Value].self).sorted { $0.key < $1.key }
        self = .text("{\(entries.map { "\($0.key): \($0.value.text)" }.joined(separator: ", "))}")
      }
    }

    var text: String {
      switch self {
      case .number(let value): "\(value)"
      case .text(let text): text
      case .measured(let value, let unit): "\(value) \(unit)"
      }
    }
  }

  /// The most characters of a text that are kept.
  private static let longestNote = 1_000

  /// Reads a line; nil where it is no JSON object.
  init?(_ line: String) {
    guard let all = try? JSONDecoder().decode([String: Value].self, from: Data(line.utf8)) else {
      return nil
    }
    for (name, value) in all {
      switch value {
      case .number(let number): values[name] = number
      case .text(let text): notes[name] = String(text.prefix(Self.longestNote))
      case .measured(let number, let unit):
        values[name] = number
        units[name] = unit
      }
    }
    if let resource = values.removeValue(forKey: "report") {
      report =
        Int(exactly: resource).flatMap { $0 > 0 && $0 < TrialShape.largestCount ? $0 : nil } ?? -1
    }
  }

  /// Refuses values in another unit than the objective's, and texts where a number is wanted.
  ///
  /// - Throws: ``StudyError/evaluation(reason:)``.
  func check(_ objectives: [Objective]) throws {
    for objective in objectives {
      let unit = objective.metric.unit
      if let other = units[objective.name], other != unit {
        throw StudyError.evaluation(
          reason: "the evaluation gave '\(objective.name)' in \(other)"
            + (unit.isEmpty ? "; it has no unit" : "; it is counted in \(unit)"))
      }
      if let text = notes[objective.name] {
        throw StudyError.evaluation(
          reason: "the evaluation gave '\(text.prefix(40))' for '\(objective.name)', not a number")
      }
    }
  }
}
