// SPDX-License-Identifier: Apache-2.0

/// Curves by which a task's scores say more than numbers do, such as precision over recall. What draws
/// them knows nothing of the task.
public struct ScoreChart: Sendable, Hashable {
  /// One line of a chart.
  public struct Curve: Sendable, Hashable {
    /// What it is about, such as a class.
    public var name: String
    /// Its points from left to right; with them how many images or objects they stand for, or nil.
    public var points: [Point]
    /// Whether it only shows what would be perfect, or chance.
    public var isReference: Bool

    /// A line.
    public init(_ name: String, points: [Point], isReference: Bool = false) {
      self.name = name
      self.points = points
      self.isReference = isReference
    }
  }

  /// A point of a line.
  public struct Point: Sendable, Hashable {
    /// The place along the horizontal axis.
    public var x: Double
    /// The place along the vertical axis.
    public var y: Double
    /// How many images or objects stand behind it; nil where that does not matter.
    public var count: Int?

    /// A point.
    public init(x: Double, y: Double, count: Int? = nil) {
      self.x = x
      self.y = y
      self.count = count
    }
  }

  /// What it is called.
  public var title: String
  /// A sentence on how to read it, with its figures.
  public var note: String
  /// What the horizontal axis shows; both axes reach from 0 to 1.
  public var xTitle: String
  /// What the vertical axis shows.
  public var yTitle: String
  /// The lines.
  public var curves: [Curve]

  /// A chart.
  public init(
    title: String, note: String = "", xTitle: String, yTitle: String, curves: [Curve]
  ) {
    self.title = title
    self.note = note
    self.xTitle = xTitle
    self.yTitle = yTitle
    self.curves = curves
  }

  /// Lines that can be told apart in one chart.
  static let mostCurves = 8

  /// The places of the classes that are drawn where there are too many: those with the most examples.
  static func shownClasses(_ counts: [Int]) -> [Int] {
    let present = counts.indices.filter { counts[$0] > 0 }
    guard present.count > mostCurves else { return present }
    return present.sorted { (counts[$1], $0) < (counts[$0], $1) }.prefix(mostCurves).sorted()
  }

  /// What to say where not all classes are drawn.
  static func remark(shown: Int, of counts: [Int]) -> String {
    let present = counts.count { $0 > 0 }
    return shown < present ? " The \(shown) classes with the most examples are drawn." : ""
  }
}
