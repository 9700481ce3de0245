// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXEvaluation
public import MUXTasks

/// `summary.csv`: one row per epoch.
///
/// The file is written whole each time, from the reports that travel with the checkpoint, so that
/// after a resume no row is missing, doubled or from epochs that were lost.
public struct SummaryTable {
  private let shown: [Metric]
  private let first: Metric?

  /// The table of a run at a task: a column for each of its metrics.
  public init(_ task: any VisionTask) {
    shown = task.shownMetrics
    first = task.metrics.first
  }

  /// The names of the columns, in order.
  public var columns: [String] {
    let before: [SummaryColumn] = [.epoch, .step, .learningRate, .trainingLoss]
    let after: [SummaryColumn] = [.imagesPerSecond, .dataWait, .seconds, .best]
    return before.map(\.rawValue) + shown.map(SummaryColumn.validation)
      + (first.map { [SummaryColumn.rawValidation($0)] } ?? []) + after.map(\.rawValue)
  }

  /// The table as CSV, header first.
  public func csv(_ reports: [EpochReport]) -> String {
    let rows = reports.map { report in
      [
        String(report.epoch), String(report.step), Self.number(report.learningRate),
        Self.number(report.trainingLoss),
      ] + shown.map { Self.number(report.validation?[$0]) }
        + (first.map { [Self.number(report.rawValidation?[$0])] } ?? [])
        + [
          Self.number(report.imagesPerSecond), Self.number(report.dataWait),
          Self.number(report.seconds), report.isBest ? "1" : "0",
        ]
    }
    return ([columns] + rows).map { $0.joined(separator: ",") + "\n" }.joined()
  }

  /// Six significant digits; empty where there is no number.
  private static func number(_ value: Double?) -> String {
    guard let value else { return "" }
    guard value.isFinite, value != 0 else { return "\(value)" }
    return NumberText.significant(value, digits: 6)
  }
}
