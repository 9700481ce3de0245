// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCharts
import MUXTestSupport
import Testing

@Suite("Clouds, parallel coordinates, shares of choices")
struct PanelTests {
  private func figure(_ panel: any FigurePanel) -> SVGPicture {
    Figure(title: "figure", panels: [panel], panelWidth: 700).picture
  }

  @Test("A cloud is one path with a place and an identifier for each point")
  func cloud() throws {
    let points = (0..<3000).map {
      ChartPoint(x: Double($0), y: Double(($0 * 37) % 101), identifier: $0 + 5)
    }
    let chart = XYChart(
      xAxis: ChartAxis("x"), yAxis: ChartAxis("y"),
      series: [ChartSeries("all", points: points, color: 7, isCloud: true)])
    let root = figure(chart).root
    #expect(root.descendants(named: "circle").count == 1)  // the legend's
    let path = try #require(root.descendants(named: "path").first { $0["data-ids"] != nil })
    let identifiers = path["data-ids"]?.split(separator: " ").compactMap { Int($0) } ?? []
    #expect(identifiers == points.compactMap(\.identifier))
    #expect(path["d"]?.split(separator: "M").count == 3000)
    #expect(figure(chart).svg.utf8.count < 100_000)
  }

  @Test("A point carries its identifier, and a detail of several lines as it is")
  func hover() throws {
    let chart = XYChart(
      xAxis: ChartAxis("x"), yAxis: ChartAxis("y"),
      series: [
        ChartSeries(
          "a", points: [ChartPoint(x: 1, y: 2, detail: "trial 4\n<7>", identifier: 4)], color: 0)
      ])
    let root = figure(chart).root
    let mark = try #require(root.descendants(named: "circle").first { $0["data-id"] == "4" })
    #expect(mark.children.first?.text == "trial 4\n<7>")
    #expect(XMLCheck(figure(chart).svg).isWellFormed)
  }

  @Test("Parallel coordinates have an axis for each property and a line for each thing")
  func parallel() throws {
    let chart = ParallelCoordinates(
      axes: [
        .init("stage1.kernel", choices: ["3", "5"]), .init("one", choices: ["only"]),
        .init("parameters", format: .metric),
      ],
      groups: [
        .init(
          "rest", lines: (0..<50).map { .init([Double($0 % 2), 0, Double($0) * 1000]) }, color: 7),
        .init(
          "best", lines: [.init([1, 0, 2500], detail: "it & <that>", identifier: 3)], color: 0,
          isEmphasized: true),
      ])
    let picture = figure(chart)
    #expect(XMLCheck(picture.svg).isWellFormed)
    let paths = picture.root.descendants(named: "path")
    #expect(paths.count == 2)
    #expect(paths[0]["d"]?.split(separator: "M").count == 50)
    #expect(paths[1]["data-id"] == "3")
    #expect(paths[1].children.first?.text == "it & <that>")
    // All places are inside of the picture.
    for path in paths {
      for match in (path["d"] ?? "").matches(of: /([\d.]+) ([\d.]+)/) {
        #expect((0...picture.width).contains(Double(match.1) ?? -1))
        #expect((0...picture.height).contains(Double(match.2) ?? -1))
      }
    }
    let texts = picture.root.descendants(named: "text").map(\.text)
    for text in ["stage1.kernel", "3", "5", "only", "0", "49k"] {
      #expect(texts.contains(text), "\(text)")
    }
  }

  @Test("Lines that do not fit the axes are left out; without any the chart says so")
  func unfit() {
    let chart = ParallelCoordinates(
      axes: [.init("a"), .init("b")],
      groups: [.init("x", lines: [.init([1]), .init([.nan, 1])], color: 0)])
    let root = figure(chart).root
    #expect(root.descendants(named: "text").map(\.text).contains("no data"))
    #expect(root.descendants(named: "path").isEmpty)
  }

  @Test("Shares of choices are bars of their lengths")
  func shares() throws {
    let chart = ChoiceShares(
      groups: [("all", 7), ("best", 1)],
      rows: [
        .init("stage1.width", choices: ["16", "24"], shares: [[0.5, 0.5], [1, 0]]),
        .init("stem", choices: ["8", "16", "32"], shares: [[0.25, 0.25, 0.5], [0, 0, 1]]),
      ])
    let picture = figure(chart)
    #expect(XMLCheck(picture.svg).isWellFormed)
    let titled = picture.root.descendants(named: "rect").filter {
      $0.children.first?.name == "title"
    }
    let titles = titled.compactMap { $0.children.first?.text }
    #expect(titles.contains("stage1.width = 16, best: 100 %"))
    #expect(titles.contains("stem = 32, all: 50 %"))
    #expect(titles.count == 7)  // shares of 0 have no bar
    func width(_ title: String) -> Double {
      titled.first { $0.children.first?.text == title }.flatMap { Double($0["width"] ?? "") } ?? 0
    }
    let half = width("stage1.width = 16, all: 50 %")
    #expect(abs(width("stage1.width = 16, best: 100 %") - 2 * half) < 0.02)
  }
}
