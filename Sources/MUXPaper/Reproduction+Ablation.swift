// SPDX-License-Identifier: Apache-2.0
import MUXCharts
import MUXNetworks
import MUXReport

/// Figure 8 from trainings on small images.
extension Reproduction {
  private struct Row {
    var network: AblationNetwork
    var parameters: Double
    var multiplyAdds: Double
    var seeds: Int
    /// The mean of the seeds in percent with its interval.
    var accuracy: PairedGain
    var gain: PairedGain?
  }

  private static func title(_ knob: AblationNetwork.Knob) -> String {
    switch knob {
    case .width: "width w"
    case .multiplexing: "width w, spatial multiplexing"
    case .kernel: "width w, 5×5 depthwise kernels (control)"
    case .leaveOut: "leave-out ratio l at w = 0.5"
    case .resolution: "resolution 16 at w = 0.5"
    }
  }

  func figure8(_ ablation: Ablation) -> Exhibit {
    let rows = AblationNetwork.small.compactMap { network -> Row? in
      guard let first = ablation.results.first(where: { $0.network == network }),
        let accuracy = PairedGain(
          ablation.accuracies(network).sorted { $0.key < $1.key }.map(\.value))
      else { return nil }
      return Row(
        network: network, parameters: first.parameters, multiplyAdds: first.multiplyAdds,
        seeds: accuracy.differences.count, accuracy: accuracy,
        gain: PairedGain(ablation.gain(network).sorted { $0.key < $1.key }.map(\.value)))
    }
    let done = "\(ablation.results.count) of \(ablation.planned) trainings; \(ablation.remark)"
    return Exhibit(
      name: .figure8, caption: "Ablation of multiplexing in MobileNetV2, on small images.",
      table: table(rows, command: ablation.command), figure: figure(rows, done),
      notes: [done] + notes(ablation)
        + [
          "intervals hold 95 % of the means of draws with replacement from the seeds; p is the share of all"
            + " ways to swap the two networks of a seed that gain at least as much (one-sided), so with 5"
            + " seeds never below 0.031",
          "multiplexing adds 1.5 to 3.4 % of parameters at nearly equal multiply-adds, and lets blocks see"
            + " farther: the control has kernels that see as far, at 13 to 26 % more"
            + " multiply-adds",
          "this says nothing of the size of the effect on ImageNet, nor of latency",
        ])
  }

  private static func points(_ gain: PairedGain) -> String {
    "\(gain.mean.decimals(2)) points (\(gain.interval.lowerBound.decimals(2)) to"
      + " \(gain.interval.upperBound.decimals(2)), p = \(gain.probability.decimals(3)),"
      + " \(gain.differences.count) seeds)"
  }

  /// The claim, and whether it holds.
  private func notes(_ ablation: Ablation) -> [String] {
    var lines: [String] = []
    if let gain = ablation.gain(of: .multiplexing, at: 0.1, over: 0.5) {
      let verdict =
        gain.probability <= 0.05
        ? "holds here" : gain.mean > 0 ? "is not shown here" : "does not hold here"
      lines.append(
        "the paper's claim that spatial multiplexing gains the more the smaller the network is"
          + " \(verdict): gain(0.1) − gain(0.5) is \(Self.points(gain))")
    }
    if let gain = ablation.gain(of: .kernel, at: 0.1, over: 0.5) {
      lines.append("the same of 5×5 kernels: \(Self.points(gain))")
    }
    return lines
  }

  private func table(_ rows: [Row], command: String) -> ReportTable {
    let source = ValueSource.measured(command: command)
    func cell(_ value: Double?, _ decimals: Int = 2) -> ReportValue {
      value.map { ReportValue($0.decimals(decimals), number: $0, source: source) } ?? .none
    }
    return ReportTable(
      columns: [
        .init("knob", "knob", isNumeric: false), .init("network", "network", isNumeric: false),
        .init("input_size", "input"), .init("parameters", "parameters"),
        .init("multiply_adds", "multiply-adds"), .init("seeds", "seeds"),
        .init("top1", "top-1 here (%)"), .init("top1_low", "from"), .init("top1_high", "to"),
        .init("gain", "gain (points)"), .init("gain_low", "from"), .init("gain_high", "to"),
        .init("p", "p"),
      ],
      rows: rows.map { row in
        [
          ReportValue(Self.title(row.network.knob)), ReportValue(row.network.name),
          ReportValue("\(row.network.inputSize)", number: Double(row.network.inputSize)),
          .count(Int(row.parameters)), .count(Int(row.multiplyAdds)),
          ReportValue("\(row.seeds)", number: Double(row.seeds)), cell(row.accuracy.mean),
          cell(row.accuracy.interval.lowerBound), cell(row.accuracy.interval.upperBound),
          cell(row.gain?.mean), cell(row.gain?.interval.lowerBound),
          cell(row.gain?.interval.upperBound), cell(row.gain?.probability, 3),
        ]
      })
  }

  private func figure(_ rows: [Row], _ subtitle: String) -> Figure {
    func series(_ knobs: [AblationNetwork.Knob]) -> [ChartSeries] {
      knobs.enumerated().map { index, knob in
        // The plain network of the widest is where the lines of (b) begin.
        let own = rows.filter {
          $0.network.knob == knob
            || (knob == .leaveOut && $0.network.knob == .width && $0.network.width == 0.5)
        }
        return ChartSeries(
          Self.title(knob),
          points: own.map { row in
            let interval = row.accuracy.interval
            return ChartPoint(
              x: row.multiplyAdds, y: row.accuracy.mean,
              error: row.seeds > 1 ? (interval.upperBound - interval.lowerBound) / 2 : nil,
              detail: row.network.name, shift: 4 * Double(index))
          }.sorted { $0.x < $1.x },
          mark: [.square, .circle, .triangle, .diamond, .diamond][Self.place(knob)],
          line: knob == .width || knob == .kernel ? .dashed : .solid,
          color: [1, 0, 3, 2, 4][Self.place(knob)], isEmphasized: knob == .multiplexing)
      }
    }
    let axis = ChartAxis("multiply-adds", scale: .logarithmic, format: .metric)
    return Figure(
      title: "Ablation of multiplexing in MobileNetV2, on small images", subtitle: subtitle,
      panels: [
        XYChart(
          title: "(a) spatial multiplexing", xAxis: axis, yAxis: ChartAxis("top-1 (%)"),
          series: series([.width, .multiplexing, .kernel]), height: 340),
        XYChart(
          title: "(b) channel multiplexing", xAxis: axis, yAxis: ChartAxis("top-1 (%)"),
          series: series([.width, .leaveOut, .resolution]), height: 340),
      ], columns: 2, panelWidth: 430,
      notes: ["Means over seeds with the interval of 95 % of draws from them."])
  }

  private static func place(_ knob: AblationNetwork.Knob) -> Int {
    AblationNetwork.Knob.allCases.firstIndex(of: knob) ?? 0
  }
}
