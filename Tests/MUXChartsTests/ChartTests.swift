// SPDX-License-Identifier: Apache-2.0
import MUXCharts
import MUXTestSupport
import Testing

@Suite("Charts")
struct ChartTests {
  private func chart(_ series: [ChartSeries], scale: ChartAxis.Scale = .linear) -> XYChart {
    XYChart(
      title: "title", xAxis: ChartAxis("x", scale: scale), yAxis: ChartAxis("y"), series: series)
  }

  private func picture(_ panels: [any FigurePanel]) -> SVGPicture {
    Figure(title: "A figure", subtitle: "What it shows", panels: panels, notes: ["A note"]).picture
  }

  private func points(_ count: Int) -> [ChartPoint] {
    (0..<count).map { ChartPoint(x: Double($0 + 1), y: Double(($0 * 7) % 5)) }
  }

  @Test("A picture is well-formed XML with a title, a description and a role")
  func structure() {
    let picture = picture([chart([ChartSeries("a", points: points(4), color: 0)])])
    let xml = XMLCheck(picture.svg)
    #expect(xml.isWellFormed)
    #expect(xml.counts["svg"] == 1)
    #expect(picture.root["role"] == "img")
    #expect(picture.root["aria-label"]?.hasPrefix("A figure. What it shows") == true)
    #expect(picture.root.children.first?.name == "title")
    #expect(picture.root.children.first?.text == "A figure")
    #expect(picture.svg.contains("prefers-color-scheme:dark"))
  }

  @Test("Every coloured element has a light value and a class for the dark one")
  func colors() {
    let root = picture([chart([ChartSeries("a", points: points(4), line: .solid, color: 3)])]).root
    for name in ["rect", "circle", "text", "line", "polyline"] {
      let elements = root.descendants(named: name)
      #expect(!elements.isEmpty, "\(name)")
      for element in elements {
        for (attribute, prefix) in [("fill", "mf-"), ("stroke", "ms-")] {
          guard let value = element[attribute], value != "none" else { continue }
          #expect(value.hasPrefix("#"), "\(name)")
          #expect(element["class"]?.contains(prefix) == true, "\(name)")
        }
      }
    }
  }

  @Test("Text from outside is escaped everywhere")
  func escaping() {
    let evil = "<b>&\"'</b>\u{1}"
    let series = ChartSeries(
      evil, points: [ChartPoint(x: 1, y: 1, label: evil, detail: evil)], color: 0)
    let bars = StackedBars(
      title: evil, axis: ChartAxis(evil), categories: [evil],
      parts: [.init(evil, color: 0, values: [1])])
    let figure = Figure(
      title: evil, subtitle: evil,
      panels: [
        XYChart(title: evil, xAxis: ChartAxis(evil), yAxis: ChartAxis(evil), series: [series]),
        bars,
      ], notes: [evil])
    let xml = XMLCheck(figure.picture.svg)
    #expect(xml.isWellFormed)
    #expect(xml.counts["b"] == nil)
    #expect(xml.texts.joined().contains("<b>&\"'</b>\u{FFFD}"))
  }

  @Test("Each point has a mark with its values on hover; an error bar where it has an error")
  func marks() {
    var own = points(5)
    own[2].error = 0.5
    own[3].error = 0.25
    let root = picture([chart([ChartSeries("a", points: own, mark: .circle, color: 0)])]).root
    let circles = root.descendants(named: "circle").filter {
      !$0.descendants(named: "title").isEmpty
    }
    #expect(circles.count == 5)
    #expect(circles[2].descendants(named: "title").first?.text == "a: x 3, y 4 ± 0.5")
    #expect(root.descendants(named: "path").count == 2)
  }

  @Test("Points stand in the order of their values, also on a logarithmic axis")
  func projection() {
    for scale in [ChartAxis.Scale.linear, .logarithmic] {
      let series = ChartSeries(
        "a", points: [1, 10, 100].map { ChartPoint(x: $0, y: $0) }, mark: .circle, color: 0)
      let circles = picture([chart([series], scale: scale)]).root
        .descendants(named: "g").flatMap { $0.children.filter { $0.name == "circle" } }
        .filter { !$0.children.isEmpty }
      let x = circles.compactMap { Double($0["cx"] ?? "") }
      let y = circles.compactMap { Double($0["cy"] ?? "") }
      #expect(x.count == 3)
      #expect(x == x.sorted() && y == y.sorted(by: >))
      let middle = (x[1] - x[0]) / (x[2] - x[0])
      #expect(abs(middle - (scale == .linear ? 9.0 / 99 : 0.5)) < 0.01)
    }
  }

  @Test("Values that an axis cannot show are left out; an empty chart says so")
  func impossible() {
    let series = ChartSeries(
      "a", points: [ChartPoint(x: 0, y: 1), ChartPoint(x: -1, y: 1), ChartPoint(x: .nan, y: 2)],
      color: 0)
    let root = picture([chart([series], scale: .logarithmic)]).root
    #expect(root.descendants(named: "text").contains { $0.text == "no data" })
    #expect(XMLCheck(picture([chart([])]).svg).isWellFormed)
    #expect(!picture([chart([series])]).svg.contains("nan"))
  }

  @Test(
    "Labels of crowded points overlap neither one another nor marks, whatever the seed",
    arguments: 1...12)
  func crowdedLabels(seed: UInt64) {
    var state = seed
    func uniform() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 11) / Double(1 << 53)
    }
    let points = (0..<24).map {
      ChartPoint(x: uniform(), y: uniform() * uniform(), label: "Network-\($0)")
    }
    let picture = picture([chart([ChartSeries("", points: points, color: 0)])])
    let labels = XMLCheck(picture.svg).placed.filter { $0.text.hasPrefix("Network-") }
    #expect(labels.count >= 22)
    for (index, label) in labels.enumerated() {
      for other in labels.dropFirst(index + 1) {
        #expect(!label.overlaps(other), "\(label) \(other)")
      }
      #expect(label.x >= 0 && label.x + label.width <= picture.width)
    }
  }

  @Test("The same chart gives the same picture")
  func deterministic() {
    let series = ChartSeries(
      "a", points: (0..<9).map { ChartPoint(x: Double($0 % 3), y: 1, label: "p\($0)") }, color: 0)
    #expect(picture([chart([series])]).svg == picture([chart([series])]).svg)
  }

  @Test("Bars are as long as their parts, and zero parts have none")
  func bars() {
    let bars = StackedBars(
      axis: ChartAxis("share", format: .percent, range: 0...1), categories: ["one", "two"],
      parts: [
        .init("a", color: 0, values: [0.25, 0]), .init("b", color: 1, values: [0.75, 1]),
        .init("c", color: 2, values: [0, 0]),
      ])
    let picture = picture([bars])
    let rectangles = picture.root.descendants(named: "rect").filter { !$0.children.isEmpty }
    #expect(rectangles.count == 3)
    let widths = rectangles.compactMap { Double($0["width"] ?? "") }
    #expect(abs(widths[0] / widths[2] - 0.25) < 0.001)
    #expect(abs(widths[1] / widths[2] - 0.75) < 0.001)
    #expect(rectangles[0].children.first?.text == "one, a: 25 %")
    // The legend leaves out what nobody sees.
    #expect(bars.legend.map(\.name) == ["a", "b"])
  }

  @Test("The legend names each series once, over all panels")
  func legend() {
    let one = ChartSeries("shared", points: points(2), color: 0)
    let other = ChartSeries("other", points: points(2), color: 1)
    let texts = XMLCheck(picture([chart([one]), chart([one, other])]).svg).placed.map(\.text)
    #expect(texts.count { $0 == "shared" } == 1)
    #expect(texts.count { $0 == "other" } == 1)
  }

  @Test("A missing rsvg-convert is one line that says what to install")
  func missingProgram() {
    let picture = picture([chart([])])
    #expect(throws: PNGRenderer.Failure.missing) {
      try PNGRenderer.png(picture, environment: ["PATH": "/nowhere"])
    }
    #expect(PNGRenderer.Failure.missing.description.contains("librsvg2-bin"))
  }

  @Test(
    "PNG files have the picture's size",
    .enabled(if: PNGRenderer.program() != nil, "rsvg-convert is not installed"))
  func png() throws {
    let picture = picture([chart([ChartSeries("a", points: points(4), color: 0)])])
    let bytes = try PNGRenderer.png(picture, scale: 2)
    #expect(bytes.prefix(8) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
    let width = bytes[16..<20].reduce(0) { $0 << 8 | Int($1) }
    #expect(width == Int(picture.width * 2))
  }
}
