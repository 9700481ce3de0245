// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
import MUXImages
import MUXRuns
import MUXTasks
import MUXTestSupport
import Testing

@Suite("Reports of runs")
struct RunReportTests {
  @Test(
    "the scores are those of an evaluation; the worst images come worst first, with their pictures")
  func report() throws {
    let run = try FinishedRun()
    let report = try run.report(count: 5)
    let weights = try TrainedWeights(path: run.path)
    let plain = try WeightsEvaluation.run(
      weights, model: weights.runtimeModel(threads: 1),
      configuration: WeightsEvaluation.settings(ofRun: run.path)
        .decode(EvaluationConfiguration.self), part: .validation)
    #expect(report.result.scores == plain.scores && plain.worst.isEmpty)
    #expect(report.examples.count == 5)
    let losses = report.examples.map(\.judged.verdict.loss)
    #expect(losses == losses.sorted(by: >))
    #expect(report.examples.allSatisfy { $0.judged.verdict.isWrong && $0.picture.width == 160 })
    // No image that is not told is more wrong.
    let all = try run.report(count: 1000)
    let wrong =
      plain.scores.count - Int(((plain.scores["top1"] ?? 0) * Double(plain.scores.count)).rounded())
    #expect(all.examples.count == wrong)
    #expect(all.examples.prefix(5).map(\.judged) == report.examples.map(\.judged))
  }

  @Test("the page has every part, needs nothing from elsewhere, and fits a narrow screen")
  func page() throws {
    let run = try FinishedRun()
    let html = try run.report(count: 3).html()
    for part in [
      "<h1>Run whole</h1>", "Loss", "Learning rate", "Calibration", "Expected calibration error",
      "Class by class", "precision", "What was taken for what", "The most wrong images",
      "augmentation.crop", "prefers-color-scheme:dark", "name=\"viewport\"",
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    ] { #expect(html.contains(part), "\(part)") }
    #expect(html.matches(of: /<img src="data:image\/png;base64,/).count == 3)
    for source in html.matches(of: /(?:src|href)="([^"]*)"/) {
      #expect(source.1.hasPrefix("data:"), "\(source.1.prefix(60))")
    }
    #expect(!html.contains("<script"))
    let widths = html.matches(of: /<svg [^>]*?width="([0-9.]+)"/).compactMap { Double($0.1) }
    #expect(widths.count >= 4 && widths.allSatisfy { $0 <= 400 }, "\(widths)")
    // Ten classes and their mean.
    #expect(html.contains("mean of the classes"))
  }

  @Test("names of classes and files are shown as they are, never obeyed")
  func escaping() throws {
    let table = ConfusionTable(names: ["<b>a", "c"], counts: [[1, 2], [0, 3]])
    let run = try FinishedRun()
    var report = try run.report(count: 1)
    report = report.replacing(confusion: table, truth: "<script>x</script>")
    let html = try report.html()
    #expect(html.contains("&lt;b&gt;a") && html.contains("&lt;script&gt;x"))
    #expect(!html.contains("<script>x"))
  }

  @Test("what mattered is asked for the class that was said, and drawn beside the image")
  func heatMaps() throws {
    let run = try FinishedRun()
    var asked: [[Int]] = []
    let report = try run.report(count: 2) { batch, outputs in
      asked.append(outputs)
      #expect(batch.count == 1)
      return [HeatMap(width: 2, height: 1, values: [0, 1])]
    }
    #expect(asked == report.examples.map { [$0.judged.verdict.outputIndex ?? -1] })
    let heat = try #require(report.examples[0].heat)
    // Cold on the left: grey as it was. Hot on the right: red.
    #expect(heat[0, 80, 0] == heat[0, 80, 1] && heat[0, 80, 1] == heat[0, 80, 2])
    #expect(heat[159, 80, 0] > 160 && heat[159, 80, 0] > heat[159, 80, 1])
    #expect(try report.html().matches(of: /<img\s/).count == 4)
  }

  @Test("runs beside each other: settings that differ, metrics of best epochs, curves")
  func comparison() throws {
    let (a, b) = (try FinishedRun(named: "a"), try FinishedRun(named: "b"))
    try b.edit("configuration.yaml") {
      $0.replacing("batchSize: 64", with: "batchSize: 32").replacing("  cutout: 0\n", with: "")
        .replacing("folder: ", with: "folder: elsewhere/")
    }
    let comparison = try RunComparison(paths: [a.path, b.path])
    #expect(comparison.names == ["a", "b"])
    #expect(comparison.differences.map(\.setting) == ["augmentation.cutout", "batchSize"])
    #expect(comparison.differences.map(\.values) == [["0", nil], ["64", "32"]])
    let record = try RunRecord(path: a.path)
    let top1 = try #require(comparison.outcomes.first { $0.name == "top-1" })
    #expect(
      top1.cells
        == Array(repeating: Classification.top1.text(record.best?[Classification.top1]), count: 2))
    #expect(comparison.outcomes.contains { $0.name == "time an epoch" && !$0.cells.contains("–") })
    let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(comparison))
    let runs = try #require((json as? [String: Any])?["runs"] as? [[String: Any]])
    #expect(
      runs.count == 2
        && (runs[0]["metrics"] as? [String: Double])?["top1"] == record.best?[Classification.top1])
    let html = comparison.html
    for part in ["<h1>Runs a, b</h1>", "batchSize", "Training loss", "top-1, validation images"] {
      #expect(html.contains(part), "\(part)")
    }
    let same = try RunComparison(paths: [a.path, a.path])
    #expect(same.differences.isEmpty && same.names == [a.path, a.path])
    #expect(same.html.contains("The runs have the same settings."))
  }
}

extension RunReport {
  /// The report with other words in it.
  fileprivate func replacing(confusion: ConfusionTable, truth: String) -> RunReport {
    var copy = self
    copy.result.confusion = confusion
    copy.examples = examples.map { example in
      var changed = example
      changed.judged.verdict.truth = truth
      return changed
    }
    return copy
  }
}
