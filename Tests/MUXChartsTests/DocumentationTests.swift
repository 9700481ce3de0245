// SPDX-License-Identifier: Apache-2.0
import MUXCharts
import MUXTestSupport
import Testing

// The example of the module's page, so that it compiles; what the reader supplies is given here.

private func charted() {
  let series = ChartSeries(
    "MUXNet",
    points: [
      ChartPoint(x: 65_357_680, y: 66.7, label: "xs"),
      ChartPoint(x: 216_808_112, y: 75.3, label: "m"),
    ], line: .solid, color: 0)
  let chart = XYChart(
    xAxis: ChartAxis("multiply-adds", scale: .logarithmic, format: .metric),
    yAxis: ChartAxis("top-1 (%)"), series: [series])
  let svg = Figure(title: "Efficiency", panels: [chart]).picture.svg
  _ = svg
}

@Suite("Documentation of charts")
struct DocumentationTests {
  @Test("The example in Swift is the one that compiles here")
  func example() throws {
    let examples = try PageExamples(of: "Sources/MUXCharts/MUXCharts.docc/MUXCharts.md")
    #expect(examples.count == 1)
    #expect(examples.missing.isEmpty, "\(examples.missing)")
  }
}
