// SPDX-License-Identifier: Apache-2.0
import MUXCharts
import MUXNetworks
import MUXReport

extension Reproduction {
  /// What is turned in figure 8.
  private enum Knob: Int, CaseIterable {
    case width, multiplexing, resolution, leaveOut

    var title: String {
      switch self {
      case .width: "width w"
      case .multiplexing: "width w, spatial multiplexing"
      case .resolution: "resolution r"
      case .leaveOut: "leave-out ratio l"
      }
    }

    var mark: ChartSeries.Mark {
      switch self {
      case .width: .square
      case .multiplexing: .circle
      case .resolution: .diamond
      case .leaveOut: .triangle
      }
    }

    /// The knob that a network of the zoo stands for, away from the whole MobileNetV2.
    init(model: String, inputSize: Int?, largest: Int?) {
      if model.hasSuffix("_mux") {
        self = .multiplexing
      } else if model.contains("_l") {
        self = .leaveOut
      } else if let inputSize, let largest, inputSize < largest {
        self = .resolution
      } else {
        self = .width
      }
    }
  }

  private struct AblationRow {
    var knob: Knob
    var label: String
    var model: String
    var inputSize: Int?
    var parameters: Double
    var multiplyAdds: Double
    var accuracy: ResultsFolder.Accuracy?
  }

  /// The settings of figure 8 at the paper's size: everything but the accuracy can be computed.
  private static let settings: [(knob: Knob, label: String, model: String, size: Int)] =
    [("0.10", "010"), ("0.25", "025"), ("0.50", "050"), ("0.75", "075"), ("1.0", "100")].map {
      (.width, $0.0 == "1.0" ? "" : "w = \($0.0)", "mobilenetv2_\($0.1)", 224)
    }
    + [("0.10", "010"), ("0.25", "025"), ("0.50", "050"), ("0.75", "075"), ("1.0", "100")].map {
      (.multiplexing, "w = \($0.0)", "mobilenetv2_\($0.1)_mux", 224)
    }
    + [96, 128, 160, 192, 224].map {
      // At 224, as at w = 1, stands the whole network, which the title names.
      (.resolution, $0 == 224 ? "" : "r = \($0)", "mobilenetv2_100", $0)
    }
    + ["10", "20", "25", "30", "40", "50", "60", "75"].map {
      let label = ["25", "50", "75"].contains($0) ? "l = 0.\($0)" : ""
      return (.leaveOut, label, "mobilenetv2_100_l\($0)", 224)
    }

  /// The ablation of spatial and channel multiplexing.
  func figure8() throws -> Exhibit {
    if let ablation, !ablation.results.isEmpty { return figure8(ablation) }
    let measured = try results.accuracies(for: .figure8)
      .filter { $0.study.hasPrefix("ablation") }
    var rows: [AblationRow] = []
    let largest = measured.compactMap(\.inputSize).max()
    if measured.isEmpty {
      for setting in Self.settings {
        guard let costs = try costs(setting.model, inputSize: setting.size) else { continue }
        rows.append(
          AblationRow(
            knob: setting.knob, label: setting.label, model: setting.model,
            inputSize: setting.size, parameters: Double(costs.parameters),
            multiplyAdds: Double(costs.multiplyAdds)))
      }
    } else {
      for accuracy in measured {
        guard
          let costs = try costs(
            accuracy.model, classes: accuracy.classes, inputSize: accuracy.inputSize)
        else { continue }
        rows.append(
          AblationRow(
            knob: Knob(model: accuracy.model, inputSize: accuracy.inputSize, largest: largest),
            label: accuracy.model, model: accuracy.model, inputSize: accuracy.inputSize,
            parameters: Double(costs.parameters), multiplyAdds: Double(costs.multiplyAdds),
            accuracy: accuracy))
      }
    }
    return Exhibit(
      name: .figure8, caption: "Ablation of multiplexing in MobileNetV2.",
      table: table(rows), figure: figure(rows, data: measured.first?.data),
      notes: [
        Self.countNote,
        "the paper says (section 6) that l = 0.25 saves 13 % of the parameters and 20 % of the"
          + " multiply-adds, and that spatial multiplexing brings up to 5.8 % of accuracy",
      ])
  }

  private func table(_ rows: [AblationRow]) -> ReportTable {
    ReportTable(
      columns: [
        .init("knob", "knob", isNumeric: false), .init("network", "network", isNumeric: false),
        .init("input_size", "input"), .init("parameters", "parameters"),
        .init("multiply_adds", "multiply-adds"), .init("top1", "top-1 here (%)"),
      ],
      rows: rows.map { row in
        [
          ReportValue("\(row.knob.title)"), ReportValue(row.model),
          row.inputSize.map { ReportValue("\($0)", number: Double($0)) } ?? .none,
          .count(Int(row.parameters)), .count(Int(row.multiplyAdds)), Self.cell(row.accuracy),
        ]
      })
  }

  private func figure(_ rows: [AblationRow], data: String?) -> Figure {
    func series(
      _ knobs: [Knob], x: (AblationRow) -> Double, y: (AblationRow) -> Double?
    ) -> [ChartSeries] {
      knobs.map { knob in
        ChartSeries(
          knob.title,
          points: rows.filter { $0.knob == knob }.compactMap { row in
            y(row).map { ChartPoint(x: x(row), y: $0, label: row.label, detail: row.model) }
          }.sorted { $0.x < $1.x },
          mark: knob.mark, line: knob == .width ? .dashed : .solid,
          color: [1, 0, 4, 2][knob.rawValue], isEmphasized: knob == .multiplexing)
      }
    }
    let accuracy: (AblationRow) -> Double? = { $0.accuracy.map { $0.value * 100 } }
    let axis = ChartAxis("multiply-adds", scale: .logarithmic, format: .metric)
    let empty = "accuracies: not run"
    let base = rows.filter { $0.model == "mobilenetv2_100" }
      .max { $0.multiplyAdds < $1.multiplyAdds }
    let relative = base.map { base in
      XYChart(
        title: "(c) what remains of the whole MobileNetV2",
        xAxis: ChartAxis("multiply-adds", format: .percent),
        yAxis: ChartAxis("parameters", format: .percent),
        series: series(
          [.width, .resolution, .leaveOut], x: { $0.multiplyAdds / base.multiplyAdds },
          y: { $0.parameters / base.parameters }), height: 340)
    }
    var panels: [any FigurePanel] = [
      XYChart(
        title: "(a) spatial multiplexing", xAxis: axis, yAxis: ChartAxis("top-1 (%)"),
        series: series([.width, .multiplexing], x: \.multiplyAdds, y: accuracy),
        emptyText: empty, height: 340),
      XYChart(
        title: "(b) channel multiplexing", xAxis: axis, yAxis: ChartAxis("top-1 (%)"),
        series: series([.width, .resolution, .leaveOut], x: \.multiplyAdds, y: accuracy),
        emptyText: empty, height: 340),
    ]
    if let relative { panels.append(relative) }
    return Figure(
      title: "Ablation of multiplexing in MobileNetV2",
      subtitle: data.map { "Accuracies on \($0), read from results/." }
        ?? "Accuracies: not run. Multiplexing is in the normal blocks only, as in the paper.",
      panels: panels, columns: min(panels.count, 3), panelWidth: 430,
      notes: ["Parameters and multiply-adds are computed here."])
  }

  /// The search against other algorithms on tables of trained networks.
  func figure9() throws -> Exhibit {
    let lines = try results.searchLines()
    let panels = Self.searchPanels(lines)
    return Exhibit(
      name: .figure9,
      caption: "Search against other algorithms with equal budgets of evaluated networks.",
      table: Self.searchTable(lines),
      figure: Figure(
        title: "Search with equal budgets of evaluated networks",
        subtitle: "Mean over seeds and reference points, ± one standard deviation over seeds;"
          + " lower is better.",
        panels: panels.isEmpty
          ? [
            XYChart(
              xAxis: Self.budgetAxis, yAxis: Self.distanceAxis, series: [],
              emptyText: "searches: not run")
          ] : panels, columns: 2, panelWidth: 520,
        notes: lines.isEmpty ? [] : ["Read from results/, made by \(ResultsFolder.searchCommand)."]),
      notes: [
        "the paper's figure is drawn on NAS-Bench-101 and prints no numbers; here stand the tables"
          + " that the search was run on"
      ])
  }

  private static let budgetAxis = ChartAxis("networks evaluated", scale: .logarithmic)
  private static let distanceAxis = ChartAxis("mean g above the table's best")

  /// Each name once, in the order in which they come.
  private static func names(_ lines: [String]) -> [String] {
    var seen: Set<String> = []
    return lines.filter { seen.insert($0).inserted }
  }

  /// One panel for each table, with a line for each algorithm.
  private static func searchPanels(_ lines: [ResultsFolder.SearchLine]) -> [any FigurePanel] {
    let algorithms = names(lines.map(\.algorithm))
    let marks: [ChartSeries.Mark] = [
      .circle, .square, .triangle, .diamond, .square, .triangle, .diamond, .circle,
    ]
    return names(lines.map(\.table)).map { table in
      XYChart(
        title: table, xAxis: budgetAxis, yAxis: distanceAxis,
        series: algorithms.enumerated().map { index, algorithm in
          ChartSeries(
            algorithm,
            points: lines.filter { $0.table == table && $0.algorithm == algorithm }.map { line in
              ChartPoint(
                x: Double(line.budget), y: line.distance, error: line.deviation,
                detail: "\(algorithm), \(line.runs) runs",
                shift: 5 * (Double(index) - Double(algorithms.count - 1) / 2))
            }, mark: marks[index % marks.count],
            line: index < Shade.dataCount ? .solid : .dashed, color: index,
            isEmphasized: index == 0, isHollow: index >= 4)
        }, height: 380)
    }
  }

  private static func searchTable(_ lines: [ResultsFolder.SearchLine]) -> ReportTable {
    let source = ValueSource.measured(command: ResultsFolder.searchCommand)
    func cell(_ value: Double, _ decimals: Int) -> ReportValue {
      ReportValue(value.decimals(decimals), number: value, source: source)
    }
    return ReportTable(
      columns: [
        .init("table", "table", isNumeric: false), .init("budget", "networks"),
        .init("algorithm", "algorithm", isNumeric: false), .init("runs", "runs"),
        .init("distance", "mean g above the best"), .init("deviation", "sd"),
        .init("p", "p against ours"),
      ],
      rows: lines.isEmpty
        ? [[.none, .none, .none, .none, .notRun, .notRun, .none]]
        : lines.map { line in
          [
            ReportValue(line.table), ReportValue("\(line.budget)", number: Double(line.budget)),
            ReportValue(line.algorithm), ReportValue("\(line.runs)", number: Double(line.runs)),
            cell(line.distance, 5), cell(line.deviation, 5),
            line.probability.map {
              ReportValue($0 < 0.001 ? "< 0.001" : $0.decimals(3), number: $0, source: source)
            } ?? .none,
          ]
        })
  }
}
