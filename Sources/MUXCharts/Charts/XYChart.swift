// SPDX-License-Identifier: Apache-2.0

/// Points and lines over two axes.
public struct XYChart: FigurePanel, Hashable {
  /// The title above the chart; empty for none.
  public var title: String
  /// The horizontal axis.
  public var xAxis: ChartAxis
  /// The vertical axis.
  public var yAxis: ChartAxis
  /// What is shown.
  public var series: [ChartSeries]
  /// What stands in the middle of a chart without any point.
  public var emptyText: String
  /// The height in pixels.
  public var height: Double

  /// A chart.
  public init(
    title: String = "", xAxis: ChartAxis, yAxis: ChartAxis, series: [ChartSeries],
    emptyText: String = "no data", height: Double = 360
  ) {
    self.title = title
    self.xAxis = xAxis
    self.yAxis = yAxis
    self.series = series
    self.emptyText = emptyText
    self.height = height
  }

  /// One entry for each series that has points.
  public var legend: [LegendEntry] {
    series.filter { !$0.points.isEmpty }.map {
      LegendEntry(
        name: $0.name, color: $0.color,
        kind: .series($0.mark, $0.line, isHollow: $0.isHollow))
    }
  }

  /// The points that both axes can show.
  private var shown: [ChartSeries] {
    series.map { one in
      var copy = one
      copy.points = one.points.filter { xAxis.shows($0.x) && yAxis.shows($0.y) }
      return copy
    }
  }

  /// The chart's drawing.
  public func elements(width: Double, height: Double) -> [SVGElement] {
    let series = shown
    let points = series.flatMap(\.points)
    let yValues = points.flatMap { point -> [Double] in
      guard let error = point.error else { return [point.y] }
      return [point.y - error, point.y + error].filter(yAxis.shows)
    }
    let yDomain = yAxis.domain(yValues)
    let top = title.isEmpty ? 8.0 : 28.0
    let bottom = height - 46
    let yProjection = AxisProjection(axis: yAxis, domain: yDomain, start: bottom, end: top)
    let yTicks = yProjection.ticks(spacing: 38)
    let labelWidth =
      yTicks.map { TextMetrics.width(yAxis.format.text($0), size: 11) }.max() ?? 0
    let left = 26 + labelWidth
    let frame = Box(x: left, y: top, width: width - left - 10, height: bottom - top)
    let xProjection = AxisProjection(
      axis: xAxis, domain: xAxis.domain(points.map(\.x)), start: frame.x, end: frame.maxX)
    // Axes without anything on them have no numbers: they would be invented.
    var drawing = ChartFrame(frame: frame, x: xProjection, y: yProjection, isEmpty: points.isEmpty)
      .elements(title: title, yTicks: points.isEmpty ? [] : yTicks)
    guard !points.isEmpty else {
      drawing.append(
        .text(
          emptyText, at: frame.center, size: 13, anchor: .middle, shade: .muted, isCentered: true))
      return drawing
    }
    let content = ChartContent(
      series: series, frame: frame, x: xProjection, y: yProjection)
    return drawing + content.elements
  }
}

/// The frame of a chart: grid, marks of the axes, titles.
struct ChartFrame {
  let frame: Box
  let x: AxisProjection
  let y: AxisProjection
  let isEmpty: Bool

  func elements(title: String, yTicks: [Double]) -> [SVGElement] {
    var elements: [SVGElement] = []
    if isEmpty { elements.append(SVGElement.rectangle(frame).filled(.wash)) }
    if !title.isEmpty {
      elements.append(
        .text(title, at: Position(x: frame.x, y: frame.y - 11), size: 13, isBold: true))
    }
    for tick in yTicks {
      let place = y.place(tick)
      elements.append(
        SVGElement.line(Position(x: frame.x, y: place), Position(x: frame.maxX, y: place))
          .stroked(.grid))
      elements.append(
        .text(
          y.axis.format.text(tick), at: Position(x: frame.x - 6, y: place), size: 11, anchor: .end,
          shade: .muted, isCentered: true))
    }
    for tick in isEmpty ? [] : xTicks {
      let place = x.place(tick)
      elements.append(
        SVGElement.line(Position(x: place, y: frame.y), Position(x: place, y: frame.maxY))
          .stroked(.grid))
      elements.append(
        .text(
          x.axis.format.text(tick), at: Position(x: place, y: frame.maxY + 16), size: 11,
          anchor: .middle, shade: .muted))
    }
    elements.append(
      SVGElement.line(
        Position(x: frame.x, y: frame.maxY), Position(x: frame.maxX, y: frame.maxY)
      ).stroked(.muted))
    elements.append(
      .text(
        x.axis.title, at: Position(x: frame.center.x, y: frame.maxY + 36), size: 12,
        anchor: .middle))
    elements.append(
      .text(
        y.axis.title, at: Position(x: 12, y: frame.center.y), size: 12, anchor: .middle,
        rotation: -90))
    return elements
  }

  /// The marks of the horizontal axis: as many as stand apart.
  private var xTicks: [Double] {
    var spacing = 40.0
    while spacing < frame.width {
      let ticks = x.ticks(spacing: spacing)
      let ends = ticks.map { tick in
        (x.place(tick), TextMetrics.width(x.axis.format.text(tick), size: 11) / 2 + 4)
      }
      if zip(ends, ends.dropFirst()).allSatisfy({ $0.0 + $0.1 <= $1.0 - $1.1 }) { return ticks }
      spacing *= 1.25
    }
    return x.ticks(spacing: frame.width)
  }
}

/// The lines, error bars, marks and labels of a chart.
struct ChartContent {
  let series: [ChartSeries]
  let frame: Box
  let x: AxisProjection
  let y: AxisProjection

  private var heaviest: Double {
    series.flatMap(\.points).compactMap(\.weight).max() ?? 1
  }

  private func position(_ point: ChartPoint) -> Position {
    Position(x: x.place(point.x) + point.shift, y: y.place(point.y))
  }

  private func radius(_ point: ChartPoint, _ series: ChartSeries) -> Double {
    if let weight = point.weight { return 3 + 17 * max(0, weight / heaviest).squareRoot() }
    return series.isFaint ? 3 : series.isEmphasized ? 5.5 : 4.5
  }

  var elements: [SVGElement] {
    // What the chart is about is drawn last, above the rest.
    let ordered = series.filter { !$0.isEmphasized } + series.filter(\.isEmphasized)
    let single = ordered.filter { !$0.isCloud }
    return ordered.filter(\.isCloud).map(cloud) + single.flatMap(lines)
      + single.flatMap(errorBars) + marks(single) + labels(single)
  }

  /// All points as the round ends of lines without length.
  private func cloud(_ series: ChartSeries) -> SVGElement {
    let data = series.points.map { point in
      let place = position(point)
      return "M\(place.x.coordinate) \(place.y.coordinate)h0"
    }
    var path = SVGElement.path(data.joined())
      .stroked(.data(series.color), width: 4, opacity: 0.55)
    path["stroke-linecap"] = "round"
    let identifiers = series.points.compactMap(\.identifier)
    if identifiers.count == series.points.count {
      path["data-ids"] = identifiers.map(String.init).joined(separator: " ")
    }
    return path
  }

  private func corners(_ series: ChartSeries) -> [Position] {
    let places = series.points.map(position)
    guard series.line == .stepped else { return places }
    return places.indices.flatMap { index -> [Position] in
      guard index > 0 else { return [places[0]] }
      return [Position(x: places[index].x, y: places[index - 1].y), places[index]]
    }
  }

  private func lines(_ series: ChartSeries) -> [SVGElement] {
    guard series.line != .none, series.points.count > 1 else { return [] }
    return [
      SVGElement.polyline(corners(series))
        .stroked(
          .data(series.color), width: series.isEmphasized ? 2.5 : 1.75, dashes: series.line.dashes)
    ]
  }

  private func errorBars(_ series: ChartSeries) -> [SVGElement] {
    series.points.compactMap { point in
      guard let error = point.error, error > 0 else { return nil }
      let (low, high) = errorBar(point, error)
      let (left, right) = ((low.x - 3.5).coordinate, (low.x + 3.5).coordinate)
      return SVGElement.path(
        "M\(low.x.coordinate) \(low.y.coordinate)V\(high.y.coordinate)"
          + "M\(left) \(low.y.coordinate)H\(right)M\(left) \(high.y.coordinate)H\(right)"
      ).stroked(.data(series.color), width: 1.25)
    }
  }

  /// The ends of an error bar inside of the frame; on a logarithmic axis a bar that reaches 0 or
  /// below ends at the frame.
  private func errorBar(_ point: ChartPoint, _ error: Double) -> (Position, Position) {
    let across = x.place(point.x) + point.shift
    func end(_ value: Double) -> Position {
      let place = y.axis.shows(value) ? y.place(value) : frame.maxY
      return Position(x: across, y: min(max(place, frame.y), frame.maxY))
    }
    return (end(point.y - error), end(point.y + error))
  }

  private func marks(_ ordered: [ChartSeries]) -> [SVGElement] {
    let all = ordered.flatMap { series in series.points.map { (series, $0) } }
    // Small bubbles above large ones.
    let sorted = all.enumerated().sorted {
      ($1.element.1.weight ?? 0, $0.offset) < ($0.element.1.weight ?? 0, $1.offset)
    }
    return sorted.compactMap { _, pair in
      let (series, point) = pair
      let mark = series.mark.element(
        at: position(point), radius: radius(point, series), color: .data(series.color),
        isHollow: series.isHollow, opacity: series.isFaint ? 0.5 : point.weight == nil ? nil : 0.75)
      guard var drawn = mark?.titled(hover(point, series)) else { return nil }
      if let identifier = point.identifier { drawn["data-id"] = "\(identifier)" }
      return drawn
    }
  }

  private func hover(_ point: ChartPoint, _ series: ChartSeries) -> String {
    // A detail of several lines says everything itself.
    if point.detail.contains("\n") { return point.detail }
    var values =
      "\(x.axis.title) \(x.axis.format.text(point.x)), \(y.axis.title) \(y.axis.format.text(point.y))"
    if let error = point.error { values += " ± \(y.axis.format.text(error))" }
    let name = point.detail.isEmpty ? point.label : point.detail
    return [name.isEmpty ? series.name : name, values].filter { !$0.isEmpty }.joined(
      separator: ": ")
  }

  private func labels(_ ordered: [ChartSeries]) -> [SVGElement] {
    var requests: [LabelPlacer.Request] = []
    var obstacles: [Box] = []
    var segments: [(Position, Position)] = []
    for series in ordered {
      if series.line != .none {
        let corners = corners(series)
        segments += zip(corners, corners.dropFirst())
      }
      for point in series.points {
        let place = position(point)
        let radius = radius(point, series)
        // A circle's box reaches beyond it at the corners; bubbles may be written on there.
        let side = 2 * (point.weight == nil ? radius : radius * 0.85)
        obstacles.append(Box(center: place, width: side, height: side))
        if let error = point.error, error > 0 {
          segments.append(errorBar(point, error))
        }
        guard !point.label.isEmpty else { continue }
        requests.append(
          LabelPlacer.Request(
            text: point.label, point: place, radius: radius, fontSize: 11,
            isBold: series.isEmphasized))
      }
    }
    let placer = LabelPlacer(frame: frame, obstacles: obstacles, lines: segments)
    return zip(requests, placer.place(requests)).flatMap { request, placement -> [SVGElement] in
      guard let placement else { return [] }
      var drawn: [SVGElement] = []
      if let end = placement.leader {
        drawn.append(SVGElement.line(request.point, end).stroked(.muted, width: 0.75))
      }
      drawn.append(
        .text(
          request.text,
          at: Position(x: placement.box.x + 1, y: placement.box.center.y), size: request.fontSize,
          isBold: request.isBold, isCentered: true))
      return drawn
    }
  }
}
