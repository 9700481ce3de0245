// SPDX-License-Identifier: Apache-2.0

/// How often each choice of several questions was taken, by two groups: a row of cells a question.
public struct ChoiceShares: FigurePanel, Hashable {
  /// One question.
  public struct Row: Sendable, Hashable {
    /// Its name.
    public var name: String
    /// The names of its choices.
    public var choices: [String]
    /// For each group, the share of each choice, from 0 to 1.
    public var shares: [[Double]]

    /// A question.
    public init(_ name: String, choices: [String], shares: [[Double]]) {
      self.name = name
      self.choices = choices
      self.shares = shares
    }
  }

  /// The names of the groups in the legend, with the numbers of their colours.
  public var groups: [(name: String, color: Int)]
  /// The questions from top to bottom.
  public var rows: [Row]
  /// What stands in the middle where there is no row.
  public var emptyText: String

  /// Shares of choices.
  public init(
    groups: [(name: String, color: Int)], rows: [Row], emptyText: String = "no data"
  ) {
    self.groups = groups
    self.rows = rows
    self.emptyText = emptyText
  }

  /// Whether both show the same.
  public static func == (left: ChoiceShares, right: ChoiceShares) -> Bool {
    left.rows == right.rows && left.emptyText == right.emptyText
      && left.groups.elementsEqual(right.groups) { $0 == $1 }
  }

  /// Hashes what is shown.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(rows)
    hasher.combine(groups.map(\.name))
  }

  private static let barHeight = 9.0
  private var rowHeight: Double { Double(groups.count) * Self.barHeight + 11 }

  /// What all rows need.
  public var height: Double { rows.isEmpty ? 120 : 8 + Double(rows.count) * rowHeight }

  /// One entry for each group.
  public var legend: [LegendEntry] {
    rows.isEmpty ? [] : groups.map { LegendEntry(name: $0.name, color: $0.color, kind: .area) }
  }

  /// The chart's drawing.
  public func elements(width: Double, height: Double) -> [SVGElement] {
    guard !rows.isEmpty else {
      return [
        .text(
          emptyText, at: Position(x: width / 2, y: height / 2), size: 13, anchor: .middle,
          shade: .muted, isCentered: true)
      ]
    }
    let names = rows.map { TextMetrics.shortened($0.name, size: 11, limit: width * 0.32) }
    let left = (names.map { TextMetrics.width($0, size: 11) }.max() ?? 0) + 12
    let columns = rows.map(\.choices.count).max() ?? 1
    let cell = (width - left - 6) / Double(max(columns, 1))
    let texts = rows.flatMap(\.choices).map { TextMetrics.width($0, size: 10) }.max() ?? 0
    let textWidth = min(texts + 5, cell * 0.45)
    return rows.enumerated().flatMap { index, row -> [SVGElement] in
      let y = 8 + Double(index) * rowHeight
      let middle = y + (rowHeight - 11) / 2
      var drawn: [SVGElement] = [
        SVGElement.text(
          names[index], at: Position(x: left - 10, y: middle), size: 11, anchor: .end,
          isCentered: true)
      ]
      if index > 0 {
        drawn.append(
          SVGElement.line(Position(x: 0, y: y - 5.5), Position(x: width, y: y - 5.5))
            .stroked(.grid))
      }
      for (place, choice) in row.choices.enumerated() {
        let box = Box(
          x: left + Double(place) * cell, y: y, width: cell, height: rowHeight - 11)
        drawn += self.cell(row, place, choice, box, textWidth: textWidth)
      }
      return drawn
    }
  }

  private func cell(
    _ row: Row, _ place: Int, _ choice: String, _ box: Box, textWidth: Double
  ) -> [SVGElement] {
    let start = box.x + textWidth
    let room = max(4, box.width - textWidth - 10)
    var drawn: [SVGElement] = [
      .text(
        TextMetrics.shortened(choice, size: 10, limit: textWidth - 2),
        at: Position(x: start - 4, y: box.center.y), size: 10, anchor: .end, shade: .muted,
        isCentered: true)
    ]
    for (index, group) in groups.enumerated() {
      let shares = index < row.shares.count ? row.shares[index] : []
      let share = place < shares.count ? min(max(shares[place], 0), 1) : 0
      let bar = Box(
        x: start, y: box.y + Double(index) * Self.barHeight + 0.5, width: room,
        height: Self.barHeight - 1)
      drawn.append(SVGElement.rectangle(bar).filled(.wash))
      guard share > 0 else { continue }
      let part = Box(x: bar.x, y: bar.y, width: room * share, height: bar.height)
      let percent = AxisFormat.percent.text((share * 1000).rounded() / 1000)
      drawn.append(
        SVGElement.rectangle(part).filled(.data(group.color))
          .titled("\(row.name) = \(choice), \(group.name): \(percent)"))
    }
    return drawn
  }
}
