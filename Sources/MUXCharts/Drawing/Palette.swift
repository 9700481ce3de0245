// SPDX-License-Identifier: Apache-2.0

/// A colour with two values: one on light paper, one on dark.
///
/// Elements carry the light value as an attribute, which every rasteriser reads, and a class; a
/// style sheet in the picture gives the class its dark value where the viewer prefers dark.
public enum Shade: Sendable, Hashable {
  /// The background.
  case paper
  /// Text and axes.
  case ink
  /// Less important text.
  case muted
  /// Lines of the grid.
  case grid
  /// Faint areas.
  case wash
  /// A colour of the data. Eight can be told apart, also by most colour-blind people; further
  /// numbers start again.
  case data(Int)

  /// How many colours of the data there are.
  public static let dataCount = 8

  /// The value on light paper.
  public var light: String { values.0 }
  /// The value on dark paper.
  public var dark: String { values.1 }

  private var values: (String, String) {
    switch self {
    case .paper: ("#ffffff", "#14181d")
    case .ink: ("#1f2328", "#e6e9ed")
    case .muted: ("#5a636d", "#a3acb6")
    case .grid: ("#dfe3e8", "#333a43")
    case .wash: ("#f1f3f6", "#20262d")
    case .data(let index):
      switch Self.place(index) {
      case 0: ("#c8401a", "#ff8a5c")
      case 1: ("#0969b8", "#5eb1f7")
      case 2: ("#0d8a63", "#3ccf9e")
      case 3: ("#9a4fb0", "#d296e4")
      case 4: ("#b07800", "#eebb45")
      case 5: ("#1792a8", "#63d3e6")
      case 6: ("#7d5a45", "#caa288")
      default: ("#6f7883", "#aab3bd")
      }
    }
  }

  /// The name of the colour in class names.
  var key: String {
    switch self {
    case .paper: "paper"
    case .ink: "ink"
    case .muted: "muted"
    case .grid: "grid"
    case .wash: "wash"
    case .data(let index): "d\(Self.place(index))"
    }
  }

  private static func place(_ index: Int) -> Int {
    ((index % dataCount) + dataCount) % dataCount
  }

  private static var all: [Shade] {
    [.paper, .ink, .muted, .grid, .wash] + (0..<dataCount).map { .data($0) }
  }

  /// The style sheet of a picture: the dark values. Rasterisers that know no media queries skip it.
  static let styleSheet: String = {
    let rules = all.map { shade in
      ".mf-\(shade.key){fill:\(shade.dark)}.ms-\(shade.key){stroke:\(shade.dark)}"
    }
    return "@media (prefers-color-scheme:dark){\(rules.joined())}"
  }()
}

extension SVGElement {
  /// The element filled with a colour.
  package func filled(_ shade: Shade, opacity: Double? = nil) -> SVGElement {
    var copy = self
    copy["fill"] = shade.light
    if let opacity { copy["fill-opacity"] = opacity.coordinate }
    copy.addClass("mf-\(shade.key)")
    return copy
  }

  /// The element drawn with a line of a colour; not filled unless it was before.
  package func stroked(
    _ shade: Shade, width: Double = 1, dashes: String? = nil, opacity: Double? = nil
  ) -> SVGElement {
    var copy = self
    copy["stroke"] = shade.light
    copy["stroke-width"] = width.coordinate
    if let dashes { copy["stroke-dasharray"] = dashes }
    if let opacity { copy["stroke-opacity"] = opacity.coordinate }
    if copy["fill"] == nil { copy["fill"] = "none" }
    copy.addClass("ms-\(shade.key)")
    return copy
  }

  /// The element with a text that viewers show on hover and screen readers read.
  package func titled(_ text: String) -> SVGElement {
    guard !text.isEmpty else { return self }
    var copy = self
    copy.children.insert(SVGElement("title", text: text), at: 0)
    return copy
  }

  private mutating func addClass(_ name: String) {
    self["class"] = self["class"].map { "\($0) \(name)" } ?? name
  }

  package static func line(_ start: Position, _ end: Position) -> SVGElement {
    SVGElement(
      "line",
      [
        "x1": start.x.coordinate, "y1": start.y.coordinate, "x2": end.x.coordinate,
        "y2": end.y.coordinate,
      ])
  }

  package static func rectangle(_ box: Box, radius: Double = 0) -> SVGElement {
    var element = SVGElement(
      "rect",
      [
        "x": box.x.coordinate, "y": box.y.coordinate, "width": max(0, box.width).coordinate,
        "height": max(0, box.height).coordinate,
      ])
    if radius > 0 { element["rx"] = radius.coordinate }
    return element
  }

  package static func path(_ data: String) -> SVGElement { SVGElement("path", ["d": data]) }

  package static func polyline(_ points: [Position]) -> SVGElement {
    SVGElement(
      "polyline",
      ["points": points.map { "\($0.x.coordinate),\($0.y.coordinate)" }.joined(separator: " ")])
  }
}

/// Where a text's position lies in it.
package enum TextAnchor: String {
  case start, middle, end
}

extension SVGElement {
  /// A line of text; `position.y` is the middle of its small letters' height if `isCentered`.
  package static func text(
    _ text: String, at position: Position, size: Double = 12, anchor: TextAnchor = .start,
    shade: Shade = .ink, isBold: Bool = false, isCentered: Bool = false, rotation: Double = 0
  ) -> SVGElement {
    // `dominant-baseline` is not known everywhere; a shift of the baseline is.
    let y = isCentered ? position.y + size * 0.35 : position.y
    var element = SVGElement(
      "text",
      ["x": position.x.coordinate, "y": y.coordinate, "font-size": size.coordinate],
      text: text)
    if anchor != .start { element["text-anchor"] = anchor.rawValue }
    if isBold { element["font-weight"] = "bold" }
    if rotation != 0 {
      element["transform"] =
        "rotate(\(rotation.coordinate) \(position.x.coordinate) \(y.coordinate))"
    }
    return element.filled(shade)
  }
}
