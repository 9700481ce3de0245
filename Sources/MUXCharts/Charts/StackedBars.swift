// SPDX-License-Identifier: Apache-2.0

/// Horizontal bars of parts, one bar a category.
public struct StackedBars: FigurePanel, Hashable {
  /// One part of every bar.
  public struct Part: Sendable, Hashable {
    /// The name in the legend.
    public var name: String
    /// The number of the colour.
    public var color: Int
    /// The part's length in each bar, not negative.
    public var values: [Double]

    /// A part.
    public init(_ name: String, color: Int, values: [Double]) {
      self.name = name
      self.color = color
      self.values = values
    }
  }

  /// The title above the chart; empty for none.
  public var title: String
  /// The axis of the lengths.
  public var axis: ChartAxis
  /// The names of the bars from top to bottom.
  public var categories: [String]
  /// The names that are printed bold.
  public var emphasized: Set<String>
  /// The parts from left to right.
  public var parts: [Part]

  /// Bars.
  public init(
    title: String = "", axis: ChartAxis, categories: [String], emphasized: Set<String> = [],
    parts: [Part]
  ) {
    self.title = title
    self.axis = axis
    self.categories = categories
    self.emphasized = emphasized
    self.parts = parts
  }

  private static let barHeight = 18.0
  private static let step = 24.0

  /// What all bars need.
  public var height: Double {
    (title.isEmpty ? 8 : 28) + Double(max(categories.count, 1)) * Self.step + 46
  }

  /// One entry for each part that has a length anywhere.
  public var legend: [LegendEntry] {
    parts.filter { $0.values.contains { $0 > 0 } }
      .map { LegendEntry(name: $0.name, color: $0.color, kind: .area) }
  }

  /// The chart's drawing.
  public func elements(width: Double, height: Double) -> [SVGElement] {
    let names = categories.map { TextMetrics.shortened($0, size: 12, limit: width * 0.35) }
    let nameWidth =
      names.map { TextMetrics.width($0, size: 12, isBold: true) }.max() ?? 0
    let top = title.isEmpty ? 8.0 : 28.0
    let frame = Box(
      x: nameWidth + 10, y: top, width: width - nameWidth - 24,
      height: Double(max(categories.count, 1)) * Self.step)
    let totals = categories.indices.map { index in
      parts.reduce(0) { $0 + length($1, index) }
    }
    var fitting = axis
    if fitting.range == nil { fitting.range = 0...max(totals.max() ?? 1, 1e-9) * 1.04 }
    let x = AxisProjection(
      axis: fitting, domain: fitting.domain([]), start: frame.x, end: frame.maxX)
    var elements = grid(frame, x)
    for (index, name) in names.enumerated() {
      let y = frame.y + (Double(index) + 0.5) * Self.step
      elements.append(
        .text(
          name, at: Position(x: frame.x - 8, y: y), size: 12, anchor: .end,
          isBold: emphasized.contains(categories[index]), isCentered: true))
      elements += bar(index, y: y, x)
    }
    return elements
  }

  private func length(_ part: Part, _ index: Int) -> Double {
    let value = index < part.values.count ? part.values[index] : 0
    return value.isFinite ? max(0, value) : 0
  }

  private func bar(_ index: Int, y: Double, _ x: AxisProjection) -> [SVGElement] {
    var elements: [SVGElement] = []
    var sum = 0.0
    for part in parts {
      let own = length(part, index)
      guard own > 0 else { continue }
      let (start, end) = (x.place(sum), x.place(sum + own))
      sum += own
      let box = Box(
        x: start, y: y - Self.barHeight / 2, width: end - start, height: Self.barHeight)
      let text = axis.format.text((own * 1000).rounded() / 1000)
      elements.append(
        SVGElement.rectangle(box).filled(.data(part.color)).stroked(.paper, width: 0.75)
          .titled("\(categories[index]), \(part.name): \(text)"))
    }
    return elements
  }

  private func grid(_ frame: Box, _ x: AxisProjection) -> [SVGElement] {
    var elements: [SVGElement] = []
    if !title.isEmpty {
      elements.append(.text(title, at: Position(x: frame.x, y: 17), size: 13, isBold: true))
    }
    for tick in x.ticks(spacing: 60) {
      let place = x.place(tick)
      elements.append(
        SVGElement.line(Position(x: place, y: frame.y), Position(x: place, y: frame.maxY))
          .stroked(.grid))
      elements.append(
        .text(
          axis.format.text(tick), at: Position(x: place, y: frame.maxY + 16), size: 11,
          anchor: .middle, shade: .muted))
    }
    elements.append(
      .text(
        axis.title, at: Position(x: frame.center.x, y: frame.maxY + 36), size: 12, anchor: .middle))
    return elements
  }
}
