// SPDX-License-Identifier: Apache-2.0
import MUXCharts
import MUXNetworks
import MUXReport

extension Reproduction {
  /// A network of the paper's table 1 or 3 as a point of a chart.
  struct Contender {
    var row: QuotedTables.Row
    var parameters: Double
    var multiplyAdds: Double
    /// Whether the counts are the paper's.
    var isQuoted: Bool
  }

  /// The rows with counts: computed where the zoo has the network, else quoted, else left out.
  func contenders(
    _ rows: [QuotedTables.Row], classes: Int? = nil
  ) throws(NetworkError) -> [Contender] {
    var result: [Contender] = []
    for row in rows {
      if let costs = try costs(row.model, classes: classes) {
        result.append(
          Contender(
            row: row, parameters: Double(costs.parameters),
            multiplyAdds: Double(costs.multiplyAdds), isQuoted: false))
      } else if let parameters = row.number("parameters"),
        let multiplyAdds = row.number("multiply_adds")
      {
        result.append(
          Contender(
            row: row, parameters: parameters, multiplyAdds: multiplyAdds, isQuoted: true))
      }
    }
    return result
  }

  /// The families of figure 6, each with a colour and a mark of its own.
  private static let families:
    [(name: String, prefix: String, mark: ChartSeries.Mark, line: ChartSeries.Line)] = [
      ("MUXNet", "MUXNet", .circle, .solid), ("MobileNetV2", "MobileNetV2", .square, .dashed),
      ("MobileNetV3", "MobileNetV3", .triangle, .solid),
      ("ShuffleNetV2", "ShuffleNetV2", .diamond, .dashed), ("MnasNet", "MnasNet", .square, .solid),
      ("others", "", .cross, .none),
    ]

  private func series(
    _ contenders: [Contender], accuracy: String, weighted: Bool = false,
    x: (Contender) -> Double
  ) -> [ChartSeries] {
    var rest = contenders
    return Self.families.enumerated().flatMap { index, family -> [ChartSeries] in
      let own = rest.filter { $0.row.network.hasPrefix(family.prefix) }
      rest.removeAll { $0.row.network.hasPrefix(family.prefix) }
      func points(_ contenders: [Contender]) -> [ChartPoint] {
        contenders.compactMap { one in
          one.row.number(accuracy).map { value in
            ChartPoint(
              x: x(one), y: value, label: one.row.network, detail: one.row.network,
              weight: weighted ? one.parameters : nil)
          }
        }.sorted { $0.x < $1.x }
      }
      let name = family.name
      var result = [
        ChartSeries(
          name, points: points(own.filter { !$0.isQuoted }),
          mark: weighted ? .circle : family.mark, line: weighted ? .none : family.line,
          color: index, isEmphasized: index == 0)
      ]
      let quoted = points(own.filter(\.isQuoted))
      if !quoted.isEmpty {
        result.append(
          ChartSeries(
            "\(name), counts quoted", points: quoted,
            mark: weighted || family.mark == .cross ? .circle : family.mark, color: index,
            isHollow: true))
      }
      return result
    }.filter { !$0.points.isEmpty }
  }

  private static let accuracyNote =
    "Top-1 accuracies on ImageNet are quoted from the paper (table 1): no ImageNet run of ours"
    + " exists. Parameters and multiply-adds are computed here, but for hollow marks, whose counts"
    + " are quoted too."

  /// The table behind figures 1 and 6.
  private func comparisonTable(
    _ contenders: [Contender], place: String, accuracies: [(key: String, title: String)]
  ) -> ReportTable {
    let source: (Contender) -> ValueSource = { $0.isQuoted ? .quoted(place: place) : .computed }
    return ReportTable(
      columns: [
        .init("network", "network", isNumeric: false), .init("parameters", "parameters"),
        .init("multiply_adds", "multiply-adds"),
      ] + accuracies.map { .init($0.key, $0.title) },
      rows: contenders.map { one in
        [
          ReportValue(one.row.network),
          ReportValue(
            Int(one.parameters).grouped, number: one.parameters, source: source(one)),
          ReportValue(
            Int(one.multiplyAdds).grouped, number: one.multiplyAdds, source: source(one)),
        ] + accuracies.map { .quoted(one.row[$0.key], place: place) }
      })
  }

  /// Accuracy, compactness and efficiency at once.
  func figure1() throws -> Exhibit {
    let contenders = try contenders(QuotedTables.table1)
    let chart = XYChart(
      xAxis: ChartAxis("multiply-adds", scale: .logarithmic, format: .metric),
      yAxis: ChartAxis("ImageNet top-1 (%)"),
      series: series(contenders, accuracy: "top1", weighted: true) { $0.multiplyAdds },
      height: 460)
    return Exhibit(
      name: .figure1, caption: "Accuracy, compactness and efficiency of mobile networks.",
      table: comparisonTable(
        contenders, place: "table 1", accuracies: [("top1", "top-1 (%)")]),
      figure: Figure(
        title: "Accuracy, compactness and efficiency",
        subtitle: "A circle's area shows the parameters: up, to the left and small is better.",
        panels: [chart], panelWidth: 780, notes: [Self.accuracyNote]),
      notes: [Self.countNote])
  }

  /// The trade-off between complexity and accuracy.
  func figure6() throws -> Exhibit {
    let contenders = try contenders(QuotedTables.table1)
    func chart(_ title: String, _ axis: String, _ x: (Contender) -> Double) -> XYChart {
      XYChart(
        title: title, xAxis: ChartAxis(axis, scale: .logarithmic, format: .metric),
        yAxis: ChartAxis("ImageNet top-1 (%)"),
        series: series(contenders, accuracy: "top1", x: x), height: 420)
    }
    return Exhibit(
      name: .figure6, caption: "The trade-off between model complexity and top-1 on ImageNet.",
      table: comparisonTable(
        contenders, place: "table 1",
        accuracies: [("top1", "top-1 (%)"), ("top5", "top-5 (%)")]),
      figure: Figure(
        title: "Complexity against ImageNet accuracy",
        subtitle: "Dashed lines join networks of other widths.",
        panels: [
          chart("(a) compactness", "parameters") { $0.parameters },
          chart("(b) efficiency", "multiply-adds") { $0.multiplyAdds },
        ], columns: 2, panelWidth: 560, notes: [Self.accuracyNote]),
      notes: [
        Self.countNote,
        "the paper's figure has further widths and resolutions whose numbers it does not print",
      ])
  }

  /// Transfer to CIFAR against complexity.
  func figure7() throws -> Exhibit {
    let measured = try results.accuracies(for: .figure7)
      .filter { $0.study.hasPrefix("transfer") }
    var panels: [any FigurePanel] = []
    for (index, data) in ["cifar10", "cifar100"].enumerated() {
      let classes = index == 0 ? 10 : 100
      let title = index == 0 ? "CIFAR-10" : "CIFAR-100"
      let contenders = try contenders(QuotedTables.table3, classes: classes)
      var own: [(ChartPoint, ChartPoint)] = []
      for accuracy in measured where accuracy.data == data {
        guard
          let costs = try costs(
            accuracy.model, classes: accuracy.classes ?? classes, inputSize: accuracy.inputSize)
        else { continue }
        func point(_ x: Int) -> ChartPoint {
          ChartPoint(
            x: Double(x), y: accuracy.value * 100, label: accuracy.model,
            detail: "\(accuracy.model), measured here")
        }
        own.append((point(costs.parameters), point(costs.multiplyAdds)))
      }
      for (axis, isParameters) in [("parameters", true), ("multiply-adds", false)] {
        var series = series(contenders, accuracy: data) {
          isParameters ? $0.parameters : $0.multiplyAdds
        }
        series.append(
          ChartSeries(
            "measured here", points: own.map { isParameters ? $0.0 : $0.1 }, mark: .plus,
            color: 6, isEmphasized: true))
        panels.append(
          XYChart(
            title: title, xAxis: ChartAxis(axis, scale: .logarithmic, format: .metric),
            yAxis: ChartAxis("top-1 (%)"), series: series, height: 320))
      }
    }
    var exhibit = try table3()
    exhibit.name = .figure7
    exhibit.caption = "Transfer learning on CIFAR against complexity."
    exhibit.figure = Figure(
      title: "Transfer to CIFAR against complexity",
      panels: panels, columns: 2, panelWidth: 520,
      notes: [
        "Accuracies are quoted from the paper (table 3), but for those marked as measured here."
          + " Parameters and multiply-adds are computed here for 10 and 100 classes; hollow marks:"
          + " counts quoted too."
          + (measured.isEmpty ? " Transfer runs of ours: not run." : "")
      ])
    return exhibit
  }
}
