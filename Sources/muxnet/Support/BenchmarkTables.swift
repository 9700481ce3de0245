// SPDX-License-Identifier: Apache-2.0
import MUXEvaluation
import MUXRuntime

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

  let threads: Int
  let steps: [Step]

  init(threads: Int, steps: [RuntimeBenchmark.LayerTime]) {
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

/// The tables of the command `benchmark`.
enum BenchmarkTables {
  static func rows(_ rows: [InferenceBenchmark.Row]) -> String {
    var table = TextTable([
      ("ENGINE", .left), ("BATCH", .right), ("THREADS", .right), ("MIN ms", .right),
      ("MEDIAN ms", .right), ("P95 ms", .right), ("IMAGES/s", .right), ("OF PEAK", .right),
      ("RUNS", .right),
    ])
    for row in rows {
      table.append([
        row.setting.engine, "\(row.setting.batchSize)", "\(row.setting.threads)",
        (row.minimumSeconds * 1e3).fixed(2), (row.medianSeconds * 1e3).fixed(2),
        (row.percentile95Seconds * 1e3).fixed(2), row.imagesPerSecond.fixed(1),
        row.shareOfPeak.percent, "\(row.runs)",
      ])
    }
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
        (step.multiplyAddsPerSecond / 1e9).fixed(1), step.shareOfPeak.percent, "\(step.tasks)",
      ])
    }
    let seconds = profile.steps.reduce(0) { $0 + $1.seconds }
    let work = profile.steps.reduce(0) { $0 + $1.multiplyAdds }
    table.append([
      "total", "", (seconds * 1e6).fixed(1), work.grouped,
      (Double(work) / max(seconds, 1e-12) / 1e9).fixed(1), "", "",
    ])
    return "\(profile.threads) thread\(profile.threads == 1 ? "" : "s"), fastest of each step:\n"
      + table.text
  }
}
