// SPDX-License-Identifier: Apache-2.0

/// `summary.csv`: one row per epoch.
///
/// The file is written whole each time, from the reports that travel with the checkpoint, so that
/// after a resume no row is missing, doubled or from epochs that were lost.
public enum SummaryTable {
  /// The names of the columns, in order.
  public static let columns = [
    "epoch", "step", "learning_rate", "train_loss", "val_loss", "val_top1", "val_top5",
    "raw_val_top1", "images_per_second", "data_wait", "seconds", "best",
  ]

  /// The table as CSV, header first.
  public static func csv(_ reports: [EpochReport]) -> String {
    var lines = [columns.joined(separator: ",")]
    for report in reports {
      lines.append(
        [
          String(report.epoch), String(report.step), number(report.learningRate),
          number(report.trainingLoss), number(report.validation?.loss),
          number(report.validation?.top1), number(report.validation?.top5),
          number(report.rawValidation?.top1), number(report.imagesPerSecond),
          number(report.dataWait), number(report.seconds), report.isBest ? "1" : "0",
        ].joined(separator: ","))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Six significant digits; empty where there is no number.
  private static func number(_ value: Double?) -> String {
    guard let value else { return "" }
    guard value.isFinite, value != 0 else { return "\(value)" }
    return NumberText.significant(value, digits: 6)
  }
}
