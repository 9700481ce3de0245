// SPDX-License-Identifier: Apache-2.0

/// Lines across several vertical axes: one line a thing, one axis a property.
public struct ParallelCoordinates: FigurePanel, Hashable {
  /// One property.
  public struct Axis: Sendable, Hashable {
    /// Its name, written below.
    public var title: String
    /// How numbers are written.
    public var format: AxisFormat
    /// The names of choices 0, 1, 2 …, which take the place of numbers; empty for numbers.
    public var choices: [String]

    /// A property.
    public init(_ title: String, format: AxisFormat = .plain, choices: [String] = []) {
      self.title = title
      self.format = format
      self.choices = choices
    }
  }

  /// One thing: a value for each axis.
  public struct Line: Sendable, Hashable {
    /// The values, in the order of the axes.
    public var values: [Double]
    /// What is shown on hover.
    public var detail: String
    /// What scripts know it by; nil for none.
    public var identifier: Int?

    /// A thing.
    public init(_ values: [Double], detail: String = "", identifier: Int? = nil) {
      self.values = values
      self.detail = detail
      self.identifier = identifier
    }
  }

  /// Lines of one colour.
  public struct Group: Sendable, Hashable {
    /// The name in the legend.
    public var name: String
    /// The lines.
    public var lines: [Line]
    /// The number of the colour.
    public var color: Int
    /// Whether they stand out; the others are thin and pale, drawn below as one path.
    public var isEmphasized: Bool

    /// Lines of one colour.
    public init(_ name: String, lines: [Line], color: Int, isEmphasized: Bool = false) {
      self.name = name
      self.lines = lines
      self.color = color
      self.isEmphasized = isEmphasized
    }
  }

  /// The properties from left to right.
  public var axes: [Axis]
  /// What is shown, later ones above earlier ones.
  public var groups: [Group]
  /// What stands in the middle where there is no line.
  public var emptyText: String
  /// The height in pixels.
  public var height: Double

  /// Lines across axes.
  public init(
    axes: [Axis], groups: [Group], emptyText: String = "no data", height: Double = 380
  ) {
    self.axes = axes
    self.groups = groups
    self.emptyText = emptyText
    self.height = height
  }

  /// One entry for each group that has lines.
  public var legend: [LegendEntry] {
    groups.filter { !$0.lines.isEmpty }.map {
      LegendEntry(name: $0.name, color: $0.color, kind: .series(.none, .solid, isHollow: false))
    }
  }

  private static let titleSize = 11.0

  /// The chart's drawing.
  public func elements(width: Double, height: Double) -> [SVGElement] {
    let sound = groups.map { group in
      var copy = group
      copy.lines = group.lines.filter {
        $0.values.count == axes.count && $0.values.allSatisfy({ $0.isFinite })
      }
      return copy
    }
    let all = sound.flatMap(\.lines)
    guard !axes.isEmpty, !all.isEmpty else {
      return [
        .text(
          emptyText, at: Position(x: width / 2, y: height / 2), size: 13, anchor: .middle,
          shade: .muted, isCentered: true)
      ]
    }
    // Titles are turned, so that long names of genes have room whatever their number.
    let names = axes.map { TextMetrics.shortened($0.title, size: Self.titleSize, limit: 150) }
    let room = names.map { TextMetrics.width($0, size: Self.titleSize) }.max() ?? 0
    let bottom = height - 14 - room * 0.72
    let left = 14 + room * 0.7
    let frame = Box(x: left, y: 22, width: width - left - 64, height: bottom - 22)
    let places = axes.indices.map { index in
      axes.count == 1
        ? frame.center.x : frame.x + frame.width * Double(index) / Double(axes.count - 1)
    }
    let projections = axes.indices.map { index in
      projection(axes[index], all.map { $0.values[index] }, frame)
    }
    func corners(_ line: Line) -> [Position] {
      line.values.indices.map {
        Position(x: places[$0], y: projections[$0].place(line.values[$0]))
      }
    }
    return rules(names, places, projections, frame)
      + sound.flatMap { draw($0, corners) } + labels(places, projections)
  }

  private func projection(_ axis: Axis, _ values: [Double], _ frame: Box) -> AxisProjection {
    var shown = ChartAxis(axis.title, format: axis.format)
    if !axis.choices.isEmpty {
      shown.range =
        axis.choices.count == 1 ? -0.5...0.5 : 0...Double(axis.choices.count - 1)
    } else if let low = values.min(), let high = values.max(), low < high {
      shown.range = low...high
    }
    return AxisProjection(
      axis: shown, domain: shown.domain(values), start: frame.maxY, end: frame.y)
  }

  private func draw(_ group: Group, _ corners: (Line) -> [Position]) -> [SVGElement] {
    func data(_ line: Line) -> String {
      "M" + corners(line).map { "\($0.x.coordinate) \($0.y.coordinate)" }.joined(separator: "L")
    }
    guard group.isEmphasized else {
      guard !group.lines.isEmpty else { return [] }
      return [
        SVGElement.path(group.lines.map(data).joined())
          .stroked(.data(group.color), width: 1, opacity: 0.22)
      ]
    }
    return group.lines.map { line in
      var path = SVGElement.path(data(line)).stroked(.data(group.color), width: 2)
        .titled(line.detail)
      if let identifier = line.identifier { path["data-id"] = "\(identifier)" }
      return path
    }
  }

  private func rules(
    _ names: [String], _ places: [Double], _ projections: [AxisProjection], _ frame: Box
  ) -> [SVGElement] {
    names.indices.flatMap { index -> [SVGElement] in
      let x = places[index]
      return [
        SVGElement.line(Position(x: x, y: frame.y), Position(x: x, y: frame.maxY))
          .stroked(.muted),
        .text(
          names[index], at: Position(x: x + 4, y: frame.maxY + 16), size: Self.titleSize,
          anchor: .end, rotation: -45),
      ]
    }
  }

  /// The names of choices, or the ends of the range; above the lines, with a halo of paper.
  private func labels(_ places: [Double], _ projections: [AxisProjection]) -> [SVGElement] {
    axes.indices.flatMap { index -> [SVGElement] in
      let (axis, projection) = (axes[index], projections[index])
      let marks: [(Double, String)] =
        axis.choices.isEmpty
        ? [projection.domain.lowerBound, projection.domain.upperBound].map {
          ($0, axis.format.text(Self.rounded($0)))
        } : axis.choices.enumerated().map { (Double($0.offset), $0.element) }
      return marks.map { value, text in
        var label = SVGElement.text(
          text, at: Position(x: places[index] + 4, y: projection.place(value)), size: 10,
          isCentered: true
        ).stroked(.paper, width: 3)
        label["paint-order"] = "stroke"
        label["stroke-linejoin"] = "round"
        return label
      }
    }
  }

  /// To four significant digits: axes end at measured values.
  private static func rounded(_ value: Double) -> Double {
    guard value != 0, value.isFinite else { return value }
    var unit = 1.0
    while abs(value) / unit >= 10_000 { unit *= 10 }
    while abs(value) / unit < 1_000, unit > 1e-9 { unit /= 10 }
    return (value / unit).rounded() * unit
  }
}
