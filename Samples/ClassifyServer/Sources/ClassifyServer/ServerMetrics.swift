// SPDX-License-Identifier: Apache-2.0
import MUXRuntime
import Synchronization

/// What `/metrics` says, in the text form that Prometheus reads.
final class ServerMetrics: Sendable {
  /// Upper bounds of the latencies that are counted together, in seconds.
  private static let bounds = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  ]

  private struct State {
    var answers: [Int: Int] = [:]
    var latencies = Array(repeating: 0, count: ServerMetrics.bounds.count + 1)
    var seconds = 0.0
  }

  private let state = Mutex(State())

  /// Notes an answer, and the time from the request's head to it.
  func add(_ status: Int, _ duration: Duration) {
    let seconds =
      Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    let place = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
    state.withLock { state in
      state.answers[status, default: 0] += 1
      state.latencies[place] += 1
      state.seconds += seconds
    }
  }

  /// All of it, with what the pool has counted.
  func text(_ pool: EnginePool.Counts) -> String {
    let state = state.withLock { $0 }
    var lines = ["# TYPE answers_total counter"]
    for (status, count) in state.answers.sorted(by: { $0.key < $1.key }) {
      lines.append("answers_total{status=\"\(status)\"} \(count)")
    }
    lines.append("# TYPE answer_seconds histogram")
    var sum = 0
    for (place, bound) in Self.bounds.enumerated() {
      sum += state.latencies[place]
      lines.append("answer_seconds_bucket{le=\"\(bound)\"} \(sum)")
    }
    sum += state.latencies.last ?? 0
    lines.append("answer_seconds_bucket{le=\"+Inf\"} \(sum)")
    lines += ["answer_seconds_sum \(state.seconds)", "answer_seconds_count \(sum)"]
    for (name, kind, count) in [
      ("pool_waiting", "gauge", pool.waiting), ("pool_computing", "gauge", pool.computing),
      ("pool_finished_total", "counter", pool.finished),
      ("pool_failed_total", "counter", pool.failed),
      ("pool_cancelled_total", "counter", pool.cancelled),
      ("pool_refused_total", "counter", pool.refused), ("pool_runs_total", "counter", pool.runs),
    ] { lines += ["# TYPE \(name) \(kind)", "\(name) \(count)"] }
    return lines.joined(separator: "\n") + "\n"
  }
}
