// SPDX-License-Identifier: Apache-2.0
import MUXCharts
import MUXCore
import MUXTasks

/// Charts of runs: what changes from epoch to epoch, and a task's own curves.
struct RunCharts {
  /// The width of a chart: that of a phone, so that its text needs no magnifying glass there.
  static let width = 350.0
  private static let height = 290.0
  /// Points of longer curves have no marks of their own.
  private static let mostMarks = 40

  /// A line over the epochs of a run.
  static func line(
    _ name: String, _ record: RunRecord, color: Int, isEmphasized: Bool = false,
    isFaint: Bool = false, value: (RunRecord.Epoch) -> Double?
  ) -> ChartSeries {
    let points = record.epochs.compactMap { epoch in
      value(epoch).map { ChartPoint(x: Double(epoch.number), y: $0) }
    }
    return ChartSeries(
      name, points: points, mark: points.count > mostMarks ? .none : .circle,
      line: isFaint ? .dashed : .solid, color: color, isEmphasized: isEmphasized)
  }

  /// A chart over epochs.
  static func figure(
    _ title: String, _ yTitle: String, format: AxisFormat = .plain,
    scale: ChartAxis.Scale = .linear,
    _ series: [ChartSeries]
  ) -> Figure {
    Figure(
      title: title,
      panels: [
        XYChart(
          xAxis: ChartAxis("epoch"), yAxis: ChartAxis(yTitle, scale: scale, format: format),
          series: series, height: height)
      ], panelWidth: width)
  }

  /// A task's own curves.
  static func figure(_ chart: ScoreChart) -> Figure {
    var color = -1
    let series = chart.curves.map { curve in
      if !curve.isReference { color += 1 }
      return ChartSeries(
        curve.name,
        points: curve.points.map { point in
          ChartPoint(
            x: point.x, y: point.y,
            detail: point.count.map { "\(curve.name), \($0.grouped)" } ?? curve.name)
        },
        mark: curve.isReference || curve.points.count > mostMarks ? .none : .circle,
        line: curve.isReference ? .dashed : .solid, color: curve.isReference ? 7 : color,
        isEmphasized: !curve.isReference && chart.curves.count <= 2)
    }
    return Figure(
      title: chart.title,
      panels: [
        XYChart(
          xAxis: ChartAxis(chart.xTitle, range: -0.02...1.02),
          yAxis: ChartAxis(chart.yTitle, range: -0.02...1.02), series: series, height: height)
      ], panelWidth: width, notes: chart.note.isEmpty ? [] : [chart.note])
  }

  /// How an axis writes the values of some metrics.
  static func format(_ metrics: [Metric]) -> AxisFormat {
    let arePercent = metrics.allSatisfy { metric in
      if case .percent = metric.format { true } else { false }
    }
    return arePercent && !metrics.isEmpty ? .percent : .plain
  }

  /// Losses, scores and the learning rate of one run.
  static func all(_ record: RunRecord) -> [Figure] {
    let shares = record.metrics.filter { $0.minimum == 0 && $0.maximum == 1 }
    let others = record.metrics.filter { metric in
      metric.name != Metric.loss.name && !shares.contains(metric)
    }
    var figures = [
      figure(
        "Loss", "loss",
        [
          line("training", record, color: 1) { $0[.trainingLoss] },
          line("validation", record, color: 0, isEmphasized: true) { $0[Metric.loss] },
        ])
    ]
    if !shares.isEmpty {
      figures.append(
        figure(
          "Scores on the validation images", "", format: format(shares),
          shares.enumerated().map { index, metric in
            line(
              metric.label, record, color: index, isEmphasized: metric == record.rankingMetric
            ) { $0[metric] }
          }))
    }
    figures += others.map { metric in
      figure(metric.label, metric.label, [line(metric.label, record, color: 0) { $0[metric] }])
    }
    figures.append(
      figure(
        "Learning rate after each epoch", "learning rate",
        [line("learning rate", record, color: 2) { $0[.learningRate] }]))
    return figures
  }
}
