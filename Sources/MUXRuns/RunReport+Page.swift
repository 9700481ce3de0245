// SPDX-License-Identifier: Apache-2.0
import MUXCharts
import MUXCore
import MUXEvaluation
import MUXTasks

extension RunReport {
  /// The report as one HTML page.
  ///
  /// - Throws: If a picture cannot be written.
  package func html() throws -> String {
    let metrics = record.task.metrics(classes: classNames.count)
    let scores = metrics.map { metric in
      (metric.label, HTML.escaped(result.scores[metric].map { metric.text($0) } ?? "–"))
    }
    let images = "\(result.scores.count.grouped) \(part.rawValue) images"
    let worst = try RunPage.examples(examples)
    let hasMaps = examples.contains { $0.heat != nil }
    return RunPage.page(
      "Run \(record.name.printable)",
      [
        HTML.list(Self.facts(record).map { ($0.0, HTML.escaped($0.1)) }),
        RunPage.section("The best weights on \(images)", HTML.list(scores)),
        RunPage.section("From epoch to epoch", RunPage.charts(RunCharts.all(record))),
        RunPage.section(
          "What the scores are made of", RunPage.charts(result.charts.map(RunCharts.figure))),
        RunPage.section(
          "Class by class", result.tables.map(RunPage.table).joined(separator: "\n")),
        RunPage.section(
          "What was taken for what", result.confusion.map(RunPage.confusion) ?? ""),
        RunPage.section(
          "The most wrong images",
          worst.isEmpty
            ? RunPage.note("Not one of the images is wrong.")
            : RunPage.note(
              "What is true → what the network says, the worst first."
                + (hasMaps
                  ? " Beside an image: what raised the class that it says, from yellow to red (Grad-CAM,"
                    + " Selvaraju et al. 2017)."
                  : "")) + worst),
        RunPage.section(
          "Settings",
          "<details><summary>All settings of the run</summary>"
            + HTML.table(
              ["setting", "value"],
              record.settings.flattened.map {
                (nil, [HTML.escaped($0.path), HTML.escaped($0.text.printable)])
              }) + "</details>"),
      ])
  }

  /// What a run is, in a few lines.
  private static func facts(_ record: RunRecord) -> [(String, String)] {
    var facts = [("task", type(of: record.task).name)]
    if let network = record.network { facts.append(("network", network.printable)) }
    if let parameters = record.parameters, let madds = record.multiplyAdds {
      facts.append(
        ("size", "\(parameters.grouped) parameters, \(madds.grouped) multiply-adds an image"))
    }
    facts.append(("run", record.state))
    if let best = record.best {
      let ranked = record.rankingMetric.flatMap { metric in
        best[metric].map { "\(metric.label) \(metric.text($0)) on the validation images" }
      }
      facts.append(
        ("best epoch", ["\(best.number)", ranked].compactMap { $0 }.joined(separator: ": ")))
    }
    if let seconds = record.seconds, let each = record.secondsPerEpoch {
      facts.append(
        ("time", "\(RunComparison.duration(seconds)), \(RunComparison.duration(each)) an epoch"))
    }
    return facts
  }
}
