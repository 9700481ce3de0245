// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Times a plan on this machine.
public struct RuntimeBenchmark {
  /// One step of the plan with its time.
  public struct LayerTime: Sendable, Hashable {
    /// What was timed, as the plan has it.
    public let step: PlanStep
    /// The shortest time in seconds.
    public let seconds: Double
    /// Multiply-adds per second as a share of one core's measured peak times the threads.
    public let shareOfPeak: Double
  }

  private let engine: InferenceEngine
  private let pixels: [Float]

  /// A benchmark of a plan with a number of threads.
  public init(_ plan: InferencePlan, threads: Int) throws(RuntimeError) {
    engine = try InferenceEngine(plan, threads: threads)
    // A fixed pattern around zero: time does not depend on the values, but denormals would.
    pixels = (0..<plan.inputShape.count).map { Float($0 % 255) / 127 - 1 }
  }

  /// Times single images.
  ///
  /// - Throws: ``RuntimeError/runCount(_:)`` for less than one run.
  public func latency(warmUp: Int = 5, runs: Int) throws(RuntimeError) -> RunTimes {
    try Self.check(runs, warmUp)
    for _ in 0..<warmUp { _ = try engine.run(pixels) }
    let clock = ContinuousClock()
    var times: [Double] = []
    for _ in 0..<runs {
      let start = clock.now
      _ = try engine.run(pixels)
      times.append(Seconds.since(start))
    }
    return RunTimes(times)
  }

  /// Times batches; gives seconds per batch.
  ///
  /// - Throws: ``RuntimeError/runCount(_:)`` for less than one run,
  ///   ``RuntimeError/imageCount(_:)`` for less than one image.
  public func batchLatency(count: Int, runs: Int) throws(RuntimeError) -> RunTimes {
    try Self.check(runs)
    guard (1...Int(Int32.max)).contains(count) else { throw .imageCount(count) }
    let batch = Array(repeatElement(pixels, count: count).joined())
    _ = try engine.run(batch, count: count)
    let clock = ContinuousClock()
    var times: [Double] = []
    for _ in 0..<runs {
      let start = clock.now
      _ = try engine.run(batch, count: count)
      times.append(Seconds.since(start))
    }
    return RunTimes(times)
  }

  /// The time of each step, with its share of the measured peak.
  ///
  /// - Throws: ``RuntimeError/runCount(_:)`` for less than one run.
  public func profile(runs: Int) throws(RuntimeError) -> [LayerTime] {
    try Self.check(runs)
    for _ in 0..<3 { _ = try engine.run(pixels) }
    let nanoseconds = try engine.profile(pixels, count: runs)
    let peak = engine.plan.instructionSet.measuredPeak() * Double(engine.threads)
    return zip(engine.plan.steps, nanoseconds).map { step, nanoseconds in
      let seconds = Double(nanoseconds) * 1e-9
      return LayerTime(
        step: step, seconds: seconds,
        shareOfPeak: seconds > 0 ? Double(step.multiplyAdds) / seconds / peak : 0)
    }
  }

  private static func check(_ runs: Int, _ warmUp: Int = 0) throws(RuntimeError) {
    guard runs > 0 else { throw .runCount(runs) }
    guard warmUp >= 0 else { throw .runCount(warmUp) }
  }
}
