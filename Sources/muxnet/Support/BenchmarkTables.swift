// SPDX-License-Identifier: Apache-2.0
import MUXEvaluation
import MUXRuntime
import MUXTasks

/// The time of each step of a plan.
struct LayerProfile: Encodable {
  /// A step with its time.
  struct Step: Encodable {
    let name: String
    let kind: String
    let multiplyAdds: Int
    let tasks: Int
    let seconds: Double
    let multiplyAddsPerSecond: Double
    let shareOfPeak: Double
  }

  let precision: Precision
  let threads: Int
  let steps: [Step]

  init(precision: Precision, threads: Int, steps: [RuntimeBenchmark.LayerTime]) {
    self.precision = precision
    self.threads = threads
    self.steps = steps.map {
      Step(
        name: $0.step.name, kind: $0.step.kind, multiplyAdds: $0.step.multiplyAdds,
        tasks: $0.step.taskCount, seconds: $0.seconds,
        multiplyAddsPerSecond: Double($0.step.multiplyAdds) / max($0.seconds, 1e-12),
        shareOfPeak: $0.shareOfPeak)
    }
  }
}

/// The tables of the commands `benchmark` and `quantize`.
enum BenchmarkTables {
  /// A share of the peak. The peak that is measured is that of single precision, which other
  /// precisions may pass; their own is not known.
  private static func share(_ share: Double, _ precision: Precision?) -> String {
    precision == .float32 ? share.percent : "–"
  }

  static func rows(_ rows: [InferenceBenchmark.Row]) -> String {
    var table = TextTable([
      ("ENGINE", .left), ("PRECISION", .left), ("BATCH", .right), ("THREADS", .right),
      ("MIN ms", .right),
      ("MEDIAN ms", .right), ("P95 ms", .right), ("IMAGES/s", .right), ("OF PEAK", .right),
      ("RUNS", .right),
    ])
    for row in rows {
      table.append([
        row.setting.engine, row.setting.precision, "\(row.setting.batchSize)",
        "\(row.setting.threads)",
        (row.minimumSeconds * 1e3).fixed(2), (row.medianSeconds * 1e3).fixed(2),
        (row.percentile95Seconds * 1e3).fixed(2), row.imagesPerSecond.fixed(1),
        share(row.shareOfPeak, Precision(rawValue: row.setting.precision)), "\(row.runs)",
      ])
    }
    return table.text
  }

  /// One row: how a file of reduced precision agrees with single precision, in the task's own scores.
  static func quantization(_ result: Quantization.Result, task: any VisionTask) -> String {
    let agreement = result.agreement
    let name = result.precision.rawValue
    var columns: [(String, TextTable.Alignment)] = [
      ("PRECISION", .left), ("CALIBRATED ON", .right), ("COMPARED ON", .right),
    ]
    var row = [name, result.calibrationImages.grouped, agreement.images.grouped]
    if let decision = agreement.decision, let share = agreement.sameDecisions {
      columns.append(("SAME \(decision.uppercased())", .right))
      row.append((share * 100).fixed(2) + " %")
    }
    columns += [
      ("GREATEST ERROR", .right), ("OUTPUTS UP TO", .right), ("SIGNAL TO NOISE", .right),
    ]
    row += [
      agreement.greatestError.fixed(4), agreement.greatestOutput.fixed(2),
      agreement.signalToNoise.fixed(1) + " dB",
    ]
    if let exact = agreement.scoresFloat32, let scores = agreement.scores {
      let metric = task.metrics[0]
      columns += [
        ("\(metric.label.uppercased()) float32", .right),
        ("\(metric.label.uppercased()) \(name)", .right),
      ]
      row += [exact, scores].map { $0[metric].map(metric.text) ?? "–" }
    }
    var table = TextTable(columns)
    table.append(row)
    return table.text
  }

  static func layers(_ profile: LayerProfile) -> String {
    var table = TextTable([
      ("STEP", .left), ("KIND", .left), ("µs", .right), ("MULTIPLY-ADDS", .right),
      ("G/s", .right), ("OF PEAK", .right), ("TASKS", .right),
    ])
    for step in profile.steps {
      table.append([
        step.name, step.kind, (step.seconds * 1e6).fixed(1), step.multiplyAdds.grouped,
        (step.multiplyAddsPerSecond / 1e9).fixed(1), share(step.shareOfPeak, profile.precision),
        "\(step.tasks)",
      ])
    }
    let seconds = profile.steps.reduce(0) { $0 + $1.seconds }
    let work = profile.steps.reduce(0) { $0 + $1.multiplyAdds }
    table.append([
      "total", "", (seconds * 1e6).fixed(1), work.grouped,
      (Double(work) / max(seconds, 1e-12) / 1e9).fixed(1), "", "",
    ])
    return
      "\(profile.precision.rawValue), \(profile.threads) thread\(profile.threads == 1 ? "" : "s"), fastest of each step:\n"
      + table.text
  }
}
