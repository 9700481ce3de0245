// SPDX-License-Identifier: Apache-2.0

/// One thing that a chart shows.
public struct ChartPoint: Sendable, Hashable {
  /// The place along the horizontal axis.
  public var x: Double
  /// The place along the vertical axis.
  public var y: Double
  /// Half the length of the error bar along the vertical axis; nil for none.
  public var error: Double?
  /// A short text beside the point; empty for none.
  public var label: String
  /// What is shown on hover, beside the values; empty for the label.
  public var detail: String
  /// A value that the mark's area shows; nil for marks of one size.
  public var weight: Double?
  /// Pixels by which the mark stands to the right of its place, so that error bars of equal places
  /// can be told apart.
  public var shift: Double
  /// What scripts know the point by (the attribute `data-id` of its mark); nil for none.
  public var identifier: Int?

  /// A point.
  public init(
    x: Double, y: Double, error: Double? = nil, label: String = "", detail: String = "",
    weight: Double? = nil, shift: Double = 0, identifier: Int? = nil
  ) {
    self.x = x
    self.y = y
    self.error = error
    self.label = label
    self.detail = detail
    self.weight = weight
    self.shift = shift
    self.identifier = identifier
  }
}

/// Points that belong together, with a name in the legend.
public struct ChartSeries: Sendable, Hashable {
  /// The shape of a point.
  public enum Mark: String, Sendable, Hashable, CaseIterable {
    case circle, square, triangle, diamond, cross, plus
    /// No mark: a line only.
    case none
  }

  /// How points are joined, in their order.
  public enum Line: Sendable, Hashable {
    case solid, dashed, dotted
    /// Level until the next point: the best so far.
    case stepped
    /// Not joined.
    case none
  }

  /// The name in the legend; empty for none.
  public var name: String
  /// The points.
  public var points: [ChartPoint]
  /// The shape of the points.
  public var mark: Mark
  /// How they are joined.
  public var line: Line
  /// The number of the colour (``Shade/data(_:)``).
  public var color: Int
  /// Whether the series is what the chart is about: larger marks, bold labels, drawn on top.
  public var isEmphasized: Bool
  /// Whether marks are outlines, such as for figures from elsewhere.
  public var isHollow: Bool
  /// Whether the points are small dots, drawn as one path: for thousands of points, whose texts
  /// would make a picture large. The path's attribute `data-ids` has their identifiers.
  public var isCloud: Bool
  /// Whether the series is only the background: smaller, paler marks.
  public var isFaint = false

  /// A series.
  public init(
    _ name: String, points: [ChartPoint], mark: Mark = .circle, line: Line = .none, color: Int,
    isEmphasized: Bool = false, isHollow: Bool = false, isCloud: Bool = false
  ) {
    self.name = name
    self.points = points
    self.mark = mark
    self.line = line
    self.color = color
    self.isEmphasized = isEmphasized
    self.isHollow = isHollow
    self.isCloud = isCloud
  }
}
