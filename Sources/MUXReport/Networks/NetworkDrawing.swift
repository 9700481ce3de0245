// SPDX-License-Identifier: Apache-2.0
public import MUXCharts
public import MUXCore
public import MUXNetworks

/// A drawing of a network: its blocks from top to bottom with their layers, shapes and costs.
///
/// Where a block processes only a part of its channels, the rest is drawn passing below and both
/// meet in the shuffle; spatial multiplexing shows its branches (↓ subpixel, = plain, ↑ superpixel).
public struct NetworkDrawing: FigurePanel {
  private let sketch: NetworkSketch
  private let name: String
  private let totals: String

  /// A drawing of a network at an image size.
  ///
  /// - Throws: `NetworkError.shape` if the images are too small.
  public init(_ network: Network, inputSize: ImageSize? = nil) throws(NetworkError) {
    let costs = try CostReport(network, inputSize: inputSize)
    sketch = NetworkSketch(network, costs)
    name = network.name
    totals =
      "\(network.inputChannels)×\(costs.inputSize.description) in,"
      + " \(costs.parameters.grouped) parameters, \(costs.multiplyAdds.grouped) multiply-adds"
  }

  private static let nameWidth = 168.0
  private static let shapeWidth = 88.0
  private static let barWidth = 96.0
  private static let valueWidth = 52.0
  private static let gap = 7.0
  private static let boxHeight = 24.0
  private static let header = 26.0

  /// The drawing as a picture with a title and a legend.
  public var picture: SVGPicture {
    Figure(
      title: name, subtitle: totals, panels: [self], panelWidth: width,
      notes: notes
    ).picture
  }

  private var notes: [String] {
    let forms = Set(sketch.rows.flatMap { $0.steps.map(\.form) })
    var text =
      "A row is a block, ×n for n equal ones, with the shape that comes out and the costs for one"
      + " image; dw: one kernel a channel"
    if forms.contains(.layer(.groupConvolution)) { text += ", g2: groups of two channels" }
    if forms.contains(where: { Self.isMixed($0) }) { text += ", small boxes: kernel sizes" }
    if forms.contains(where: { Self.isMultiplexed($0) }) {
      text += ", ↓2 subpixel, = plain, ↑2 superpixel"
    }
    return [text + ".", "Costs: \(CostReport.convention)."]
  }

  private var stepsLeft: Double { Self.nameWidth + Self.shapeWidth }

  private var stepsWidth: Double {
    max(220, sketch.rows.map { self.width(of: $0) }.max() ?? 0)
  }

  private var barsLeft: Double { stepsLeft + stepsWidth + 24 }

  /// The width that the drawing needs, in pixels.
  public var width: Double {
    barsLeft + 2 * (Self.barWidth + Self.valueWidth) + 16
  }

  /// The height that the drawing needs, in pixels.
  public var height: Double {
    Self.header + sketch.rows.reduce(0) { $0 + height(of: $1) }
  }

  /// The kinds of layers that occur.
  public var legend: [LegendEntry] {
    let forms = Set(sketch.rows.flatMap { $0.steps.map(\.form) })
    var entries = LayerKind.allCases.filter { kind in
      forms.contains(.layer(kind))
        || kind == .depthwiseConvolution && forms.contains { Self.isMixed($0) }
    }.map { LegendEntry(name: $0.title, color: $0.color, kind: .area) }
    if forms.contains(where: { Self.isMultiplexed($0) }) {
      entries.append(LegendEntry(name: "spatial multiplexing", color: 0, kind: .area))
    }
    return entries
  }

  private static func isMultiplexed(_ form: NetworkSketch.Step.Form) -> Bool {
    if case .branches(_, isMultiplexed: true) = form { true } else { false }
  }

  private static func isMixed(_ form: NetworkSketch.Step.Form) -> Bool {
    if case .branches(_, isMultiplexed: false) = form { true } else { false }
  }

  // MARK: Measures

  /// Whether something runs below the row's main path.
  private func hasLanes(_ row: NetworkSketch.Row) -> Bool {
    row.split != nil || !row.sidePath.isEmpty
  }

  private func height(of row: NetworkSketch.Row) -> Double {
    row.split != nil ? 62 : row.sidePath.isEmpty ? 40 : 68
  }

  private func text(of step: NetworkSketch.Step) -> String {
    step.count == 1 ? step.text : "\(step.count)× \(step.text)"
  }

  private func width(of step: NetworkSketch.Step) -> Double {
    let label = TextMetrics.width(text(of: step), size: 11)
    switch step.form {
    case .layer, .plain, .join: return label + 12
    case .branches(let cells, _):
      return label + 14 + Double(cells.count) * Self.cellWidth
    case .sum: return step.count == 1 ? 18 : label + 12
    case .shuffle: return 26
    }
  }

  private static let cellWidth = 21.0

  private func width(of row: NetworkSketch.Row) -> Double {
    row.steps.reduce(0) { $0 + width(of: $1) + Self.gap } + (hasLanes(row) ? 34 : 10)
  }

  // MARK: Drawing

  /// The drawing inside of a rectangle whose upper left corner is (0, 0).
  public func elements(width: Double, height: Double) -> [SVGElement] {
    let parameters = Double(sketch.rows.map(\.parameters).max() ?? 1)
    let multiplyAdds = Double(sketch.rows.map(\.multiplyAdds).max() ?? 1)
    let second = barsLeft + Self.barWidth + Self.valueWidth + 16
    var elements: [SVGElement] = []
    for (text, x) in [
      ("block", 0), ("out", Self.nameWidth), ("layers", stepsLeft), ("parameters", barsLeft),
      ("multiply-adds", second),
    ] {
      elements.append(
        .text(text, at: Position(x: x, y: 12), size: 11, shade: .muted, isBold: true))
    }
    var y = Self.header
    for (index, row) in sketch.rows.enumerated() {
      let height = self.height(of: row)
      if index % 2 == 0 {
        elements.append(
          SVGElement.rectangle(
            Box(x: -8, y: y, width: width + 8, height: height), radius: 4
          ).filled(.wash))
      }
      let middle = y + height / 2
      elements += labels(row, middle)
      elements += steps(row, top: y, height: height)
      elements += bar(Double(row.parameters), of: parameters, x: barsLeft, y: middle)
      elements += bar(Double(row.multiplyAdds), of: multiplyAdds, x: second, y: middle)
      y += height
    }
    return elements
  }

  private func labels(_ row: NetworkSketch.Row, _ middle: Double) -> [SVGElement] {
    let first = row.names.first ?? ""
    var name = first.isEmpty ? "–" : first
    if row.names.count > 1 { name += " ×\(row.names.count)" }
    let shortened = TextMetrics.shortened(name, size: 12, limit: Self.nameWidth - 10)
    return [
      SVGElement.text(shortened, at: Position(x: 0, y: middle), size: 12, isCentered: true)
        .titled(row.names.joined(separator: ", ")),
      .text(
        row.output.height == 1 && row.output.width == 1
          ? "\(row.output.channels)" : row.output.description,
        at: Position(x: Self.nameWidth, y: middle), size: 11, shade: .muted, isCentered: true),
    ]
  }

  private func bar(_ value: Double, of most: Double, x: Double, y: Double) -> [SVGElement] {
    let length = most > 0 ? Self.barWidth * value / most : 0
    return [
      SVGElement.rectangle(Box(x: x, y: y - 6, width: length, height: 12), radius: 1)
        .filled(.muted),
      .text(
        AxisFormat.metric.text(Self.rounded(value)),
        at: Position(x: x + max(length, 0) + 5, y: y), size: 11, shade: .ink, isCentered: true),
    ]
  }

  /// Three significant digits.
  static func rounded(_ value: Double) -> Double {
    guard value > 0 else { return 0 }
    var unit = 1.0
    while value / unit >= 1000 { unit *= 10 }
    while value / unit < 100 { unit /= 10 }
    return (value / unit).rounded() * unit
  }

  private func steps(_ row: NetworkSketch.Row, top: Double, height: Double) -> [SVGElement] {
    let hasLanes = hasLanes(row)
    let middle = hasLanes ? top + 21 : top + height / 2
    var x = stepsLeft + (hasLanes ? 18 : 0)
    let start = x
    var boxes: [(NetworkSketch.Step, Box)] = []
    // Where two lanes meet: in the sum, or before the shuffle.
    func isJoint(_ step: NetworkSketch.Step) -> Bool {
      hasLanes && (step.form == .shuffle || !row.sidePath.isEmpty && step.form == .sum)
    }
    for step in row.steps {
      let center = isJoint(step) ? top + height / 2 : middle
      let box = Box(
        x: x, y: center - Self.boxHeight / 2, width: width(of: step), height: Self.boxHeight)
      boxes.append((step, box))
      x = box.maxX + Self.gap
    }
    var elements: [SVGElement] = []
    let main = boxes.filter { !isJoint($0.0) }
    if !row.isCounted {
      for (left, right) in zip(main, main.dropFirst()) {
        elements.append(
          SVGElement.line(
            Position(x: left.1.maxX, y: middle), Position(x: right.1.x, y: middle)
          ).stroked(.muted))
      }
    }
    if row.hasResidual, let sum = main.first(where: { $0.0.form == .sum }) {
      elements.append(residual(from: start - (hasLanes ? 5 : 6), to: sum.1, middle: middle))
    }
    if hasLanes, let last = main.last?.1 {
      let joint = boxes.first { isJoint($0.0) }?.1
      elements += lanes(
        row, start: start, joined: joint?.x ?? last.maxX + Self.gap, lastBox: last.maxX,
        middle: middle, below: top + height - 10)
    }
    for (step, box) in boxes { elements += draw(step, in: box) }
    return elements
  }

  private func residual(from x: Double, to sum: Box, middle: Double) -> SVGElement {
    let rail = middle - Self.boxHeight / 2 - 4
    return SVGElement.path(
      "M\(x.coordinate) \(middle.coordinate)V\(rail.coordinate)"
        + "H\(sum.center.x.coordinate)V\((middle - 9).coordinate)"
    ).stroked(.muted, dashes: "3 2").titled("residual")
  }

  /// What passes or runs below the main path, and where the two meet again.
  private func lanes(
    _ row: NetworkSketch.Row, start: Double, joined: Double, lastBox: Double, middle: Double,
    below: Double
  ) -> [SVGElement] {
    let fork = start - 12
    let center = (middle + below) / 2
    let rail = row.sidePath.isEmpty ? below : below - 6
    let path =
      "M\((fork - 6).coordinate) \(center.coordinate)H\(fork.coordinate)"
      + "V\(middle.coordinate)H\(start.coordinate)"
      + "M\(fork.coordinate) \(center.coordinate)V\(rail.coordinate)"
      + "H\((joined - 3).coordinate)V\(center.coordinate)"
      + "M\(lastBox.coordinate) \(middle.coordinate)H\((joined - 3).coordinate)"
      + "V\(center.coordinate)"
    var elements = [SVGElement.path(path).stroked(.muted)]
    if let split = row.split {
      elements.append(
        .text(
          "\(split.all - split.processed) of \(split.all) channels pass",
          at: Position(x: start + 2, y: below - 4), size: 9, shade: .muted))
    }
    var x = start
    for step in row.sidePath {
      let box = Box(x: x, y: rail - 9, width: width(of: step), height: 18)
      elements += draw(step, in: box)
      x = box.maxX + Self.gap
    }
    return elements
  }

  private func draw(_ step: NetworkSketch.Step, in box: Box) -> [SVGElement] {
    let label = text(of: step)
    func chip(_ color: Int, centered: Double) -> [SVGElement] {
      [
        SVGElement.rectangle(box, radius: 4).filled(.data(color)).titled(step.detail),
        .text(
          label, at: Position(x: centered, y: box.center.y), size: 11, anchor: .middle,
          shade: .paper, isCentered: true),
      ]
    }
    switch step.form {
    case .layer(let kind): return chip(kind.color, centered: box.center.x)
    case .plain, .join:
      return [
        SVGElement.rectangle(box, radius: 4).filled(.paper).stroked(.muted).titled(step.detail),
        .text(
          label, at: box.center, size: 11, anchor: .middle, isCentered: true),
      ]
    case .branches(let cells, let isMultiplexed):
      let color = isMultiplexed ? 0 : LayerKind.depthwiseConvolution.color
      let labelRoom = box.width - Double(cells.count) * Self.cellWidth
      var elements = chip(color, centered: box.x + labelRoom / 2)
      for (index, cell) in cells.enumerated() {
        let inner = Box(
          x: box.x + labelRoom + Double(index) * Self.cellWidth - 2, y: box.y + 3,
          width: Self.cellWidth - 2, height: box.height - 6)
        elements.append(SVGElement.rectangle(inner, radius: 2).filled(.paper))
        elements.append(
          .text(cell, at: inner.center, size: 10, anchor: .middle, isCentered: true))
      }
      return elements
    case .sum where step.count == 1:
      let circle = SVGElement(
        "circle",
        ["cx": box.center.x.coordinate, "cy": box.center.y.coordinate, "r": "9"])
      return [
        circle.filled(.paper).stroked(.muted).titled(step.detail),
        .text("+", at: box.center, size: 13, anchor: .middle, isCentered: true),
      ]
    case .sum:
      return [
        SVGElement.rectangle(box, radius: 9).filled(.paper).stroked(.muted),
        .text(label, at: box.center, size: 11, anchor: .middle, isCentered: true),
      ]
    case .shuffle:
      let area = box.inset(5)
      let lines = [(0.0, 0.0), (1.0, 2.0), (2.0, 1.0), (3.0, 3.0)].map { from, to in
        "M\(area.x.coordinate) \((area.y + from * area.height / 3).coordinate)"
          + "L\(area.maxX.coordinate) \((area.y + to * area.height / 3).coordinate)"
      }
      return [
        SVGElement.rectangle(box, radius: 4).filled(.paper).stroked(.data(0), width: 1.25)
          .titled(step.detail),
        SVGElement.path(lines.joined()).stroked(.data(0), width: 1.25),
      ]
    }
  }
}
