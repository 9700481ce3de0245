// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCharts
import MUXConfiguration
import MUXCore
import MUXEvaluation
import MUXTasks

/// Runs beside each other: in which settings they differ, and what came of it.
package struct RunComparison: Sendable {
  /// A setting that not all runs have alike.
  package struct Difference: Sendable, Hashable, Encodable {
    /// Its dotted path.
    package var setting: String
    /// Its value in each run; nil where the run does not know it.
    package var values: [String?]

    private enum CodingKeys: String, CodingKey { case setting, values }
  }

  /// The runs, in the order given.
  package let records: [RunRecord]
  /// What the runs are called: their names, or their paths where two have one name.
  package let names: [String]
  /// The settings that differ. Where a run is written, and under which name, is left out.
  package let differences: [Difference]

  /// Reads some runs.
  ///
  /// - Throws: Errors that name the folder or file that cannot be read.
  package init(paths: [String]) throws {
    let records = try paths.map { try RunRecord(path: $0) }
    let own = records.map(\.name)
    names = Set(own).count == own.count ? own : records.map(\.folder.path)
    let settings = records.map { record in
      Dictionary(
        record.settings.flattened.map { ($0.path, $0.text) }, uniquingKeysWith: { $1 })
    }
    let all = Set(settings.flatMap(\.keys)).filter { !$0.hasPrefix("output.") }
    differences = all.sorted().compactMap { path in
      let values = settings.map { $0[path] }
      return Set(values).count > 1 ? Difference(setting: path, values: values) : nil
    }
    self.records = records
  }

  /// The metrics that some run has, each once.
  private var metrics: [Metric] {
    var seen: Set<String> = []
    return records.flatMap(\.metrics).filter { seen.insert($0.name).inserted }
  }

  /// What came of the runs, a line each with a cell a run.
  package var outcomes: [(name: String, cells: [String])] {
    func row(_ name: String, _ cell: (RunRecord) -> String?) -> (name: String, cells: [String]) {
      (name, records.map { cell($0) ?? "–" })
    }
    return [
      row("state", \.state), row("network", \.network),
      row("parameters") { $0.parameters?.grouped },
      row("multiply-adds") { $0.multiplyAdds?.grouped },
      row("best epoch") { record in record.best.map { "\($0.number) of \(record.epochs.count)" } },
    ]
      + metrics.map { metric in
        row(metric.label) { record in record.best?[metric].map { metric.text($0) } }
      } + [
        row("training loss") { $0.best?[.trainingLoss].map { Metric.loss.text($0) } },
        row("time an epoch") { $0.secondsPerEpoch.map(Self.duration) },
        row("time in all") { $0.seconds.map(Self.duration) },
      ]
  }

  /// Seconds in words.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "–" }
    if seconds < 100 { return "\(Metric.significant(seconds)) s" }
    let minutes = Int((seconds / 60).rounded())
    return minutes < 120 ? "\(minutes) min" : "\(minutes / 60) h \(minutes % 60) min"
  }
}

extension RunComparison: Encodable {
  private struct Run: Encodable {
    var name: String
    var path: String
    var state: String
    var network: String?
    var parameters: Int?
    var multiplyAdds: Int?
    var epochs: Int
    var bestEpoch: Int?
    var metrics: [String: Double]
    var secondsPerEpoch: Double?
    var seconds: Double?
  }

  private enum CodingKeys: String, CodingKey { case runs, differences }

  /// Writes the runs with the metrics of their best epochs, and the settings that differ.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(
      zip(names, records).map { name, record in
        Run(
          name: name, path: record.folder.path, state: record.state, network: record.network,
          parameters: record.parameters, multiplyAdds: record.multiplyAdds,
          epochs: record.epochs.count, bestEpoch: record.best?.number,
          metrics: Dictionary(
            record.metrics.compactMap { metric in
              record.best?[metric].map { (metric.name, $0) }
            }, uniquingKeysWith: { $1 }),
          secondsPerEpoch: record.secondsPerEpoch, seconds: record.seconds)
      }, forKey: .runs)
    try container.encode(differences, forKey: .differences)
  }
}

extension RunComparison {
  /// The runs' curves and the same tables as one HTML page.
  package var html: String {
    func table(_ first: String, _ rows: [(String, [String])]) -> String {
      HTML.table(
        [first] + names.map(\.printable),
        rows.map { (nil, [HTML.escaped($0.0)] + $0.1.map { HTML.escaped($0.printable) }) })
    }
    func lines(_ value: @escaping (RunRecord.Epoch) -> Double?) -> [ChartSeries] {
      records.enumerated().map { index, record in
        RunCharts.line(names[index].printable, record, color: index, value: value)
      }
    }
    let figures =
      metrics.map { metric in
        RunCharts.figure(
          metric.label + ", validation images", "", format: RunCharts.format([metric]),
          lines { $0[metric] })
      } + [
        RunCharts.figure("Training loss", "loss", lines { $0[.trainingLoss] }),
        RunCharts.figure("Learning rate", "", lines { $0[.learningRate] }),
      ]
    let same = RunPage.note("The runs have the same settings.")
    return RunPage.page(
      "Runs \(names.map(\.printable).joined(separator: ", "))",
      [
        RunPage.section(
          "At the best epoch", table("", outcomes.map { ($0.name, $0.cells) })),
        RunPage.section("From epoch to epoch", RunPage.charts(figures)),
        RunPage.section(
          "Settings that differ",
          differences.isEmpty
            ? same
            : table("setting", differences.map { ($0.setting, $0.values.map { $0 ?? "–" }) })),
      ])
  }
}
