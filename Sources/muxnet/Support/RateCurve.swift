// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import Foundation
  import MUXCore
  import MUXCharts
  import MUXTraining

  /// The loss over rising learning rates, as a table and a picture beside each other.
  struct RateCurve {
    private let base: String

    /// Files `BASE.csv` and `BASE.svg`; an ending of either kind may be given.
    init(_ path: String) {
      base =
        [".csv", ".svg"].first { path.hasSuffix($0) }.map { String(path.dropLast($0.count)) }
        ?? path
    }

    /// Finds a rate for these settings, writes both files and says what was found.
    func find(_ configuration: TrainingConfiguration, quiet: Bool, json: Bool) throws {
      for file in ["\(base).csv", "\(base).svg"] { try AtomicFile.check(file) }
      var finder = RateFinder()
      finder.warning = { Console.warning($0) }
      let showsProgress = !quiet && Console.errorIsTerminal
      if showsProgress { finder.progress = { Console.standardError("\r\($0) of \($1) steps") } }
      let result = try finder.find(configuration)
      if showsProgress { Console.standardError("\r\u{1b}[2K") }
      try AtomicFile.write([UInt8](result.csv.utf8), to: "\(base).csv")
      try AtomicFile.write([UInt8](figure(result).picture.svg.utf8), to: "\(base).svg")
      if let number = StopSignal.process.requested {
        throw CommandError("stopped by signal \(number) after \(result.points.count) steps")
      }
      if json { return try Console.json(result) }
      guard let rate = result.suggestedRate, let setting = result.suggestedSetting else {
        throw CommandError(
          "the loss did not fall at any rate; see \(base).csv, and look at the data and the settings"
        )
      }
      Console.result("\(text(setting))")
      Console.note(
        "loss least at a rate of \(text(result.bestRate)), so begin with a tenth of it:"
          + " --learning-rate \(text(setting))"
          + (rate == setting ? "" : " (\(text(rate)) for this batch)")
          + "; curve in \(base).csv and \(base).svg")
    }

    private func text(_ value: Double) -> String { NumberText.significant(value, digits: 2) }

    private func figure(_ result: RateFinder.Result) -> Figure {
      func points(_ value: KeyPath<RateFinder.Point, Double>) -> [ChartPoint] {
        result.points.map { ChartPoint(x: $0.rate, y: $0[keyPath: value]) }
      }
      let chart = XYChart(
        xAxis: ChartAxis("learning rate", scale: .logarithmic), yAxis: ChartAxis("training loss"),
        series: [
          ChartSeries("loss of a step", points: points(\.loss), color: 1, isHollow: true),
          ChartSeries(
            "smoothed", points: points(\.smoothedLoss), mark: .none, line: .solid, color: 0,
            isEmphasized: true),
        ])
      return Figure(
        title: "Loss over rising learning rates",
        subtitle: result.suggestedRate.map {
          "least at \(text(result.bestRate)); a tenth of that to begin with: \(text($0))"
        } ?? "the loss did not fall", panels: [chart])
    }
  }
#endif
