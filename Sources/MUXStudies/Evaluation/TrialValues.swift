// SPDX-License-Identifier: Apache-2.0
import Foundation
package import MUXSearch

/// Values of a trial as a person writes them: `error=7.5`, or a line of JSON.
package enum TrialValues {
  /// The numbers, and what is none.
  ///
  /// - Throws: ``StudyError/evaluation(reason:)``.
  package static func read(
    _ texts: [String], for objectives: [Objective]
  ) throws -> (numbers: [String: Double], notes: [String: String]) {
    if texts.count == 1, texts[0].trimmingCharacters(in: .whitespacesAndNewlines).hasPrefix("{") {
      guard let printed = PrintedValues(texts[0]), printed.report == nil else {
        throw StudyError.evaluation(
          reason: "'\(texts[0].prefix(80))' is not one JSON object with the values, such as"
            + " {\"error\": 7.5}")
      }
      try printed.check(objectives)
      return (printed.values, printed.notes)
    }
    var numbers: [String: Double] = [:]
    var notes: [String: String] = [:]
    for text in texts {
      let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard sides.count == 2, !sides[0].isEmpty else {
        throw StudyError.evaluation(
          reason: "'\(text)' is not NAME=VALUE; write such as error=7.5, or one JSON object")
      }
      let name = String(sides[0])
      guard numbers[name] == nil, notes[name] == nil else {
        throw StudyError.evaluation(reason: "'\(name)' stands twice")
      }
      if let value = Double(sides[1]) {
        numbers[name] = value
      } else if objectives.contains(where: { $0.name == name }) {
        throw StudyError.evaluation(reason: "'\(sides[1])' is no number for '\(name)'")
      } else {
        notes[name] = String(sides[1])
      }
    }
    return (numbers, notes)
  }
}
