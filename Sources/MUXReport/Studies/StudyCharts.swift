// SPDX-License-Identifier: Apache-2.0
public import MUXCharts
import MUXSearch
import MUXStudies

/// A chart of a study, with a name for its file.
public struct StudyChart: Sendable {
  /// The name of its file without an ending, such as `front-params-error`.
  public var name: String
  /// The chart.
  public var figure: Figure
}

/// The charts of a study: its front seen from each side, how it came about, what it prefers.
public struct StudyCharts {
  /// How much a chart says of each point.
  public enum Detail: Sendable, Hashable {
    /// Everything, in the file itself.
    case full
    /// The number of the trial; a script fetches the rest.
    case numbers
  }

  let view: StudyView
  private let detail: Detail
  /// The places of the trials off the front that are drawn.
  private let others: Thinned
  /// The places of those on the front, the targets' best aside.
  private let front: [Int]
  /// The greatest and the least value of each objective.
  private let ranges: [(least: Double, greatest: Double)?]

  /// Above so many points, those off the front become a cloud of dots.
  static let mostSinglePoints = 1000
  /// Points off the front that are drawn at most; more only make pages large.
  static let mostPoints = 5000
  /// The targets that have a colour of their own.
  static let mostTargets = 6

  /// The charts of a study.
  public init(_ view: StudyView, detail: Detail = .full) {
    self.view = view
    self.detail = detail
    let isOnFront = Set(view.history.front)
    let leaders =
      view.targets.count <= Self.mostTargets && view.hasTargets
      ? view.history.leaders.prefix(view.targets.count).compactMap { $0?.trial.number } : []
    let isLeading = Set(leaders)
    let completed = view.history.completed
    others = completed.indices.filter {
      !isOnFront.contains($0) && !isLeading.contains(completed[$0].number)
    }.thinned(to: Self.mostPoints)
    front = view.history.front.filter { !isLeading.contains(completed[$0].number) }.sorted()
    ranges = view.history.objectives.indices.map { index in
      var range: (least: Double, greatest: Double)?
      for trial in completed {
        guard let value = trial.objectives?[index], value.isFinite else { continue }
        range = range.map { (min($0.least, value), max($0.greatest, value)) } ?? (value, value)
      }
      return range
    }
  }

  /// The trials of which charts have no more than dots.
  var dots: [Trial] {
    let places =
      (others.kept.count > Self.mostSinglePoints ? others.kept : [])
      + (front.count > Self.mostSinglePoints ? front : [])
    return places.map { view.history.completed[$0] }
  }

  /// All of them.
  public var all: [StudyChart] {
    let hasDirections = !view.hasTargets || view.targets.contains { $0.kind == .direction }
    return fronts + [hypervolume] + (hasDirections ? [bestValues] : [])
      + (budgetValues.map { [$0] } ?? []) + preferences
  }

  static func color(ofTarget index: Int) -> Int { [0, 2, 3, 4, 5, 6][index % mostTargets] }

  /// The targets that are drawn one by one.
  private var shownTargets: [ReferenceTarget] {
    view.targets.count <= Self.mostTargets ? view.targets : []
  }

  func text(_ trial: Trial) -> String {
    detail == .full ? view.text(trial) : "trial \(trial.number)"
  }

  // MARK: Fronts

  /// A view of the front for each pair of objectives.
  public var fronts: [StudyChart] {
    let count = view.history.objectives.count
    return (0..<count).flatMap { first in
      // The first objective, the error, stands upright wherever it takes part.
      ((first + 1)..<max(count, first + 1)).map { second in
        first == 0 ? front(x: second, y: 0) : front(x: first, y: second)
      }
    }
  }

  private func front(x: Int, y: Int) -> StudyChart {
    let objectives = view.history.objectives
    let completed = view.history.completed
    let xAxis = axis(x)
    let yAxis = axis(y)
    func point(_ trial: Trial) -> ChartPoint {
      ChartPoint(
        x: trial.objectives?[x] ?? .nan, y: trial.objectives?[y] ?? .nan, detail: text(trial),
        identifier: trial.number)
    }
    let leaders = shownTargets.indices.map { view.history.leaders[$0]?.trial }
    let most = detail == .full ? Self.mostSinglePoints : 0
    var series = [
      ChartSeries(
        others.named("other complete trials"), points: others.kept.map { point(completed[$0]) },
        color: 7, isCloud: others.kept.count > most),
      ChartSeries(
        "on the Pareto front", points: front.map { point(completed[$0]) }, color: 1,
        isCloud: front.count > Self.mostSinglePoints),
    ]
    series[0].isFaint = true
    for (index, target) in shownTargets.enumerated() {
      let color = Self.color(ofTarget: index)
      let name = TextMetrics.shortened(target.name, size: 12, limit: 150)
      series.append(ray(target, color: color, x, y, xAxis, yAxis))
      series.append(goal(target, color: color, x, y, xAxis, yAxis))
      if let trial = leaders[index] {
        series.append(
          ChartSeries(
            "best for \(name)", points: [point(trial)], color: color, isEmphasized: true))
      }
    }
    let notes =
      shownTargets.isEmpty
      ? []
      : [
        "Dashed: the directions of the targets, from the ideal point, and the limits of budgets."
          + " Diamonds: the targets, where they are within the chart; an objective that a target leaves"
          + " out stands at its scale."
      ]
    return StudyChart(
      name: "front-\(objectives[x].name)-\(objectives[y].name)".fileSafe,
      figure: Figure(
        title: "\(objectives[y].axisTitle) against \(objectives[x].axisTitle)",
        panels: [
          XYChart(
            xAxis: xAxis, yAxis: yAxis, series: series.filter { !$0.points.isEmpty },
            emptyText: "no complete trial yet", height: 360)
        ], panelWidth: 500, notes: notes))
  }

  /// From 0, so that directions start in the corner, to the largest value; targets that are not much
  /// farther are inside.
  private func axis(_ index: Int) -> ChartAxis {
    let objective = view.history.objectives[index]
    let largest = ranges[index]?.greatest ?? 0
    let near = shownTargets.map { $0.values[objective.name] ?? objective.scale }
      .filter { $0 <= largest * 1.6 }
    let end = max(largest, near.max() ?? 0)
    return ChartAxis(
      objective.axisTitle, format: objective.axisFormat,
      range: end > 0 ? min(0, ranges[index]?.least ?? 0)...end * 1.06 : nil)
  }

  private func coordinates(_ target: ReferenceTarget, _ x: Int, _ y: Int) -> (Double, Double) {
    let objectives = view.history.objectives
    func value(_ index: Int) -> Double {
      target.values[objectives[index].name] ?? objectives[index].scale
    }
    return (value(x), value(y))
  }

  private func ray(
    _ target: ReferenceTarget, color: Int, _ x: Int, _ y: Int, _ xAxis: ChartAxis,
    _ yAxis: ChartAxis
  ) -> ChartSeries {
    if target.kind == .budget {
      return limits(target, color: color, x, y, xAxis, yAxis)
    }
    let (tx, ty) = coordinates(target, x, y)
    guard let xEnd = xAxis.range?.upperBound, let yEnd = yAxis.range?.upperBound, tx > 0 || ty > 0
    else { return ChartSeries("", points: [], color: color) }
    let factor = min(tx > 0 ? xEnd / tx : .infinity, ty > 0 ? yEnd / ty : .infinity)
    return ChartSeries(
      "", points: [ChartPoint(x: 0, y: 0), ChartPoint(x: tx * factor, y: ty * factor)],
      mark: .none, line: .dashed, color: color)
  }

  /// The sides of a budget.
  private func limits(
    _ target: ReferenceTarget, color: Int, _ x: Int, _ y: Int, _ xAxis: ChartAxis,
    _ yAxis: ChartAxis
  ) -> ChartSeries {
    let objectives = view.history.objectives
    let (right, top) = (xAxis.range?.upperBound ?? 0, yAxis.range?.upperBound ?? 0)
    let (limitX, limitY) = (target.values[objectives[x].name], target.values[objectives[y].name])
    let (endX, endY) = (min(limitX ?? right, right), min(limitY ?? top, top))
    var points: [ChartPoint] = []
    if let limitX, limitX <= right {
      points += [ChartPoint(x: limitX, y: 0), ChartPoint(x: limitX, y: endY)]
    }
    if let limitY, limitY <= top {
      points += [ChartPoint(x: endX, y: limitY), ChartPoint(x: 0, y: limitY)]
    }
    return ChartSeries("", points: points, mark: .none, line: .dashed, color: color)
  }

  private func goal(
    _ target: ReferenceTarget, color: Int, _ x: Int, _ y: Int, _ xAxis: ChartAxis,
    _ yAxis: ChartAxis
  ) -> ChartSeries {
    let (tx, ty) = coordinates(target, x, y)
    if target.kind == .budget { return ChartSeries("", points: [], color: color) }
    let isInside = xAxis.range?.contains(tx) == true && yAxis.range?.contains(ty) == true
    let point = ChartPoint(
      x: tx, y: ty, label: TextMetrics.shortened(target.name, size: 11, limit: 110),
      detail: "target \(target.name)")
    return ChartSeries(
      "", points: isInside ? [point] : [], mark: .diamond, color: color, isHollow: true)
  }

  // MARK: Progress

  private static let countAxis = "complete trials"

  private func steps(_ steps: [StudyHistory.Step]) -> [ChartPoint] {
    var points = steps.map { ChartPoint(x: Double($0.count), y: $0.value) }
    let end = Double(view.history.completed.count)
    if let last = points.last, last.x < end { points.append(ChartPoint(x: end, y: last.y)) }
    return points
  }

  private var countRange: ClosedRange<Double>? {
    let count = view.history.completed.count
    return count > 1 ? 0...Double(count) : nil
  }

  /// The hypervolume over the evaluations.
  public var hypervolume: StudyChart {
    StudyChart(
      name: "hypervolume",
      figure: Figure(
        title: "Hypervolume",
        panels: [
          XYChart(
            xAxis: ChartAxis(Self.countAxis, range: countRange),
            yAxis: ChartAxis("share of the volume"),
            series: [
              ChartSeries(
                "", points: steps(view.history.hypervolume),
                mark: view.history.hypervolume.count == 1 ? .circle : .none, line: .stepped,
                color: 1, isEmphasized: true)
            ], emptyText: "no complete trial within the scales yet", height: 320)
        ], panelWidth: 500,
        notes: [
          "What the front dominates, up to 1.1 times each objective's scale, or the first network's"
            + " value where that is beyond; higher is better."
        ]
      ))
  }

  /// The best g of each target over the evaluations.
  public var bestValues: StudyChart {
    var series: [ChartSeries] = []
    if !shownTargets.isEmpty {
      for (index, target) in shownTargets.enumerated() where target.kind == .direction {
        let name = TextMetrics.shortened(target.name, size: 12, limit: 200)
        let own = view.history.best[index]
        series.append(
          ChartSeries(
            name, points: steps(own), mark: own.count == 1 ? .circle : .none, line: .stepped,
            color: Self.color(ofTarget: index), isEmphasized: true))
      }
    } else {
      let name =
        "mean over \(view.history.targets.count) \(view.hasTargets ? "targets" : "directions")"
      let mean = meanOfBest
      series = [
        ChartSeries(
          name, points: steps(mean), mark: mean.count == 1 ? .circle : .none, line: .stepped,
          color: 0, isEmphasized: true)
      ]
    }
    return StudyChart(
      name: "best-g",
      figure: Figure(
        title: view.hasTargets ? "Best g of each target" : "Best g",
        panels: [
          XYChart(
            xAxis: ChartAxis(Self.countAxis, range: countRange), yAxis: ChartAxis("g (PBI, θ = 5)"),
            series: series.filter { !$0.points.isEmpty }, emptyText: "no complete trial yet",
            height: 320)
        ], panelWidth: 500, notes: ["Lower is better."]))
  }

  /// The best value within each budget over the evaluations; nil without budgets, or with many targets.
  var budgetValues: StudyChart? {
    let all = shownTargets.enumerated().filter { $0.element.kind == .budget }
    let aims = all.map { view.history.aim(ofTarget: $0.offset) }
    guard let aim = aims.compactMap(\.self).first else { return nil }
    let objective = view.history.objectives[aim]
    let series = zip(all, aims).filter { $0.1 == aim }.map { entry, _ in
      let own = view.history.valuesWithinBudget(entry.offset)
      return ChartSeries(
        TextMetrics.shortened(entry.element.name, size: 12, limit: 200), points: steps(own),
        mark: own.count == 1 ? .circle : .none, line: .stepped,
        color: Self.color(ofTarget: entry.offset), isEmphasized: true)
    }
    return StudyChart(
      name: "best-within-budgets",
      figure: Figure(
        title: "Best \(objective.name) within each budget",
        panels: [
          XYChart(
            xAxis: ChartAxis(Self.countAxis, range: countRange),
            yAxis: ChartAxis(objective.axisTitle, format: objective.axisFormat),
            series: series.filter { !$0.points.isEmpty },
            emptyText: "no network within a budget yet", height: 320)
        ], panelWidth: 500,
        notes: [
          "\(objective.isMaximized ? "Higher" : "Lower") is better; networks outside do not count."
        ]))
  }

  private var meanOfBest: [StudyHistory.Step] {
    let all = view.history.best
    guard all.allSatisfy({ !$0.isEmpty }) else { return [] }
    var places = all.map { _ in 0 }
    let counts = Set(all.flatMap { $0.map(\.count) }).sorted()
    return counts.compactMap { count in
      for index in all.indices {
        while places[index] + 1 < all[index].count, all[index][places[index] + 1].count <= count {
          places[index] += 1
        }
      }
      guard all.allSatisfy({ $0[0].count <= count }) else { return nil }
      let sum = all.indices.reduce(0) { $0 + all[$1][places[$1]].value }
      return StudyHistory.Step(count: count, value: sum / Double(all.count))
    }
  }
}

extension String {
  /// With everything but ASCII letters, digits, `-`, `_` and `.` replaced by `_`.
  var fileSafe: String {
    String(
      map { character in
        character.isASCII && (character.isLetter || character.isNumber || "-_.".contains(character))
          ? character : "_"
      })
  }
}
