// SPDX-License-Identifier: Apache-2.0

/// One chart of a figure.
public protocol FigurePanel: Sendable {
  /// The room that the panel needs in pixels, if it is not free to take what it gets.
  var height: Double { get }
  /// What the legend says about it.
  var legend: [LegendEntry] { get }
  /// The panel's drawing inside of a rectangle whose upper left corner is (0, 0).
  func elements(width: Double, height: Double) -> [SVGElement]
}

/// A line of the legend.
public struct LegendEntry: Sendable, Hashable {
  /// What it stands for.
  public enum Kind: Sendable, Hashable {
    /// Points, perhaps joined.
    case series(ChartSeries.Mark, ChartSeries.Line, isHollow: Bool)
    /// The line, filled down to the axis.
    case area
  }

  /// The text after the sign.
  public var name: String
  /// The number of the colour.
  public var color: Int
  /// The sign before the name.
  public var kind: Kind

  /// A line of the legend.
  public init(name: String, color: Int, kind: Kind) {
    self.name = name
    self.color = color
    self.kind = kind
  }
}

/// Charts side by side with one title, one legend and one note.
public struct Figure: Sendable {
  /// The line above all charts.
  public var title: String
  /// A sentence below the title.
  public var subtitle: String
  /// The charts, row by row.
  public var panels: [any FigurePanel]
  /// How many charts stand in a row.
  public var columns: Int
  /// The width of a chart in pixels.
  public var panelWidth: Double
  /// Lines below the charts, such as where the numbers come from.
  public var notes: [String]

  /// A figure.
  public init(
    title: String, subtitle: String = "", panels: [any FigurePanel], columns: Int = 1,
    panelWidth: Double = 520, notes: [String] = []
  ) {
    self.title = title
    self.subtitle = subtitle
    self.panels = panels
    self.columns = max(1, min(columns, max(1, panels.count)))
    self.panelWidth = panelWidth
    self.notes = notes
  }

  private static let margin = 20.0
  private static let gap = 24.0

  /// The figure as a picture.
  public var picture: SVGPicture {
    let inner = Double(columns) * panelWidth + Double(columns - 1) * Self.gap
    var elements: [SVGElement] = []
    var y = Self.margin
    func lines(_ text: String, size: Double, shade: Shade, isBold: Bool = false) {
      for line in TextMetrics.wrapped(text, size: size, limit: inner) {
        y += size * 1.15
        elements.append(
          .text(
            line, at: Position(x: Self.margin, y: y), size: size, shade: shade, isBold: isBold))
        y += size * 0.25
      }
    }
    lines(title, size: 17, shade: .ink, isBold: true)
    if !subtitle.isEmpty { lines(subtitle, size: 12.5, shade: .muted) }
    y += 10
    let legend = Legend(entries: entries, width: inner)
    if !legend.entries.isEmpty {
      elements.append(moved(legend.elements, x: Self.margin, y: y))
      y += legend.height + 8
    }
    for row in stride(from: 0, to: panels.count, by: columns) {
      let own = panels[row..<min(row + columns, panels.count)]
      let height = own.map(\.height).max() ?? 0
      for (column, panel) in own.enumerated() {
        let x = Self.margin + Double(column) * (panelWidth + Self.gap)
        elements.append(moved(panel.elements(width: panelWidth, height: height), x: x, y: y))
      }
      y += height + Self.gap
    }
    y -= Self.gap - 10
    for note in notes { lines(note, size: 11, shade: .muted) }
    return SVGPicture(
      width: inner + 2 * Self.margin, height: (y + Self.margin).rounded(.up), title: title,
      summary: ([subtitle] + notes).filter { !$0.isEmpty }.joined(separator: " "),
      elements: elements)
  }

  /// The entries of all panels, each name once.
  private var entries: [LegendEntry] {
    var seen: Set<String> = []
    return panels.flatMap(\.legend).filter { !$0.name.isEmpty && seen.insert($0.name).inserted }
  }

  private func moved(_ children: [SVGElement], x: Double, y: Double) -> SVGElement {
    SVGElement(
      "g", ["transform": "translate(\(x.coordinate) \(y.coordinate))"], children: children)
  }
}

/// The signs and names above a figure's charts, in as many rows as they need.
struct Legend {
  let entries: [LegendEntry]
  let width: Double

  private static let rowHeight = 19.0
  private static let size = 12.0
  private static let signWidth = 26.0

  /// The place of each entry.
  private var places: [Position] {
    var places: [Position] = []
    var x = 0.0
    var y = Self.rowHeight / 2
    for entry in entries {
      let needed = Self.signWidth + TextMetrics.width(entry.name, size: Self.size)
      if x > 0, x + needed > width {
        x = 0
        y += Self.rowHeight
      }
      places.append(Position(x: x, y: y))
      x += needed + 16
    }
    return places
  }

  var height: Double { (places.last?.y ?? 0) + Self.rowHeight / 2 }

  var elements: [SVGElement] {
    zip(entries, places).flatMap { entry, place in
      sign(entry, at: place) + [
        .text(
          entry.name, at: Position(x: place.x + Self.signWidth, y: place.y), size: Self.size,
          isCentered: true)
      ]
    }
  }

  private func sign(_ entry: LegendEntry, at place: Position) -> [SVGElement] {
    let color = Shade.data(entry.color)
    let center = Position(x: place.x + 10, y: place.y)
    switch entry.kind {
    case .area:
      return [
        SVGElement.rectangle(Box(center: center, width: 14, height: 12), radius: 2).filled(color)
      ]
    case .series(let mark, let line, let isHollow):
      var elements: [SVGElement] = []
      if line != .none {
        elements.append(
          SVGElement.line(
            Position(x: center.x - 10, y: center.y), Position(x: center.x + 10, y: center.y)
          ).stroked(color, width: 2, dashes: line.dashes))
      }
      if let sign = mark.element(at: center, radius: 4.5, color: color, isHollow: isHollow) {
        elements.append(sign)
      }
      return elements
    }
  }
}

extension ChartSeries.Line {
  var dashes: String? {
    switch self {
    case .dashed: "6 4"
    case .dotted: "1.5 4"
    case .solid, .stepped, .none: nil
    }
  }
}

extension ChartSeries.Mark {
  /// The mark around a point, nil for none.
  func element(
    at center: Position, radius: Double, color: Shade, isHollow: Bool, opacity: Double? = nil
  ) -> SVGElement? {
    let (x, y) = (center.x, center.y)
    func polygon(_ corners: [(Double, Double)]) -> SVGElement {
      .path(
        "M"
          + corners.map { "\((x + $0.0 * radius).coordinate) \((y + $0.1 * radius).coordinate)" }
          .joined(separator: "L") + "Z")
    }
    let shape: SVGElement
    switch self {
    case .none: return nil
    case .circle:
      shape = SVGElement(
        "circle", ["cx": x.coordinate, "cy": y.coordinate, "r": radius.coordinate])
    case .square:
      shape = .rectangle(Box(center: center, width: radius * 1.75, height: radius * 1.75))
    case .triangle: shape = polygon([(0, -1.15), (1.05, 0.75), (-1.05, 0.75)])
    case .diamond: shape = polygon([(0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)])
    case .cross, .plus:
      let ends: [(Double, Double)] =
        self == .plus ? [(0, 1), (1, 0)] : [(0.75, 0.75), (0.75, -0.75)]
      let data = ends.map { dx, dy in
        let (dx, dy) = (dx * radius, dy * radius)
        return "M\((x - dx).coordinate) \((y - dy).coordinate)"
          + "L\((x + dx).coordinate) \((y + dy).coordinate)"
      }
      return SVGElement.path(data.joined()).stroked(color, width: 2)
    }
    return isHollow
      ? shape.filled(.paper).stroked(color, width: 1.75)
      : shape.filled(color, opacity: opacity).stroked(.paper, width: 0.75)
  }
}
