// SPDX-License-Identifier: Apache-2.0
package import Foundation
import MUXEvaluation

/// The runs in a folder, the one that was at work last first.
package struct RunOverview: Sendable {
  package struct Row: Sendable {
    /// What it says of itself.
    package let record: RunRecord
    /// When something of it was written last.
    package let date: Date

    /// What its best epoch came to, in words; nil before the first one.
    package var score: String? {
      guard let best = record.best, let metric = record.rankingMetric, let value = best[metric]
      else { return nil }
      return "\(metric.label) \(metric.text(value))"
    }
  }

  /// The runs that can be read.
  package let rows: [Row]
  /// Those that cannot, with the reason.
  package let damaged: [String]

  /// Looks through a folder of runs; whatever else lies in it is passed over.
  ///
  /// - Throws: `FileError` where there is no such folder, or it cannot be read.
  package init(folder: String) throws {
    var (rows, damaged): ([Row], [String]) = ([], [])
    for path in try RunFolder.all(in: folder) {
      do {
        let record = try RunRecord(path: path)
        rows.append(Row(record: record, date: Self.date(record.folder)))
      } catch {
        damaged.append("\(error)")
      }
    }
    self.rows = rows.enumerated()
      .sorted { ($1.element.date, $0.offset) < ($0.element.date, $1.offset) }.map(\.element)
    self.damaged = damaged
  }

  private static func date(_ folder: RunFolder) -> Date {
    [folder.configuration, folder.summary, folder.checkpoints, folder.result].compactMap { path in
      (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date
    }.max() ?? .distantPast
  }
}

extension RunOverview.Row: Encodable {
  private enum CodingKeys: String, CodingKey {
    case name, path, state, network, epochs, bestEpoch, metric, value, changed
  }

  /// Writes what a table has, with the score as a number.
  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(record.name, forKey: .name)
    try values.encode(record.folder.path, forKey: .path)
    try values.encode(record.state, forKey: .state)
    try values.encodeIfPresent(record.network, forKey: .network)
    try values.encode(record.epochs.count, forKey: .epochs)
    try values.encodeIfPresent(record.best?.number, forKey: .bestEpoch)
    try values.encodeIfPresent(record.rankingMetric?.name, forKey: .metric)
    try values.encodeIfPresent(
      record.rankingMetric.flatMap { record.best?[$0] }, forKey: .value)
    try values.encode(date.ISO8601Format(), forKey: .changed)
  }
}
