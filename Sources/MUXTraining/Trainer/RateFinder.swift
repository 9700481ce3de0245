// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
public import MUXNetworks
import MUXTensor
import MUXVision

/// Tries ever higher learning rates on the first steps of a run, and sees where the loss falls and where
/// it breaks away (the range test of Smith 2017).
///
/// Nothing is written, and nothing is left of the weights.
public struct RateFinder {
  /// The rate of the first step.
  public var lowest: Double = 1e-6
  /// The rate of the last step.
  public var highest: Double = 10
  /// The steps, at rates of equal ratios.
  public var steps: Int = 100
  /// Asked after every step whether to stop.
  public var stop: StopSignal = .process
  /// Told of every step, and how many there are at most.
  public var progress: (Int, Int) -> Void = { _, _ in }
  /// Told what is odd about the data, and what was left out, a line each.
  public var warning: (String) -> Void = { _ in }

  /// How much of the smoothed loss stays at each step.
  private static let smoothing = 0.9
  /// The loss has broken away where it is so many times the least.
  private static let limit = 4.0

  /// A finder of 100 steps from 1e-6 to 10.
  public init() {}

  /// One step.
  public struct Point: Codable, Hashable, Sendable {
    /// The learning rate.
    public var rate: Double
    /// The loss of the step's images, before its update.
    public var loss: Double
    /// The loss smoothed over the steps before.
    public var smoothedLoss: Double
  }

  /// What was found.
  public struct Result: Codable, Hashable, Sendable {
    /// The steps, until the loss broke away.
    public var points: [Point]
    /// The rate at which the smoothed loss was least.
    public var bestRate: Double
    /// A tenth of that: a rate to begin with; nil where the loss did not fall.
    public var suggestedRate: Double?
    /// `optimizer.learningRate` for that rate, where rates follow the batch.
    public var suggestedSetting: Double?

    /// Comma-separated values, a line for each step.
    public var csv: String {
      "rate,loss,smoothed_loss\n"
        + points.map { "\($0.rate),\($0.loss),\($0.smoothedLoss)\n" }.joined()
    }
  }

  /// Finds a rate for a run of these settings; their schedule plays no part.
  ///
  /// - Parameters:
  ///   - configuration: Every setting of the run.
  ///   - network: What to train; nil resolves the configuration's model.
  /// - Throws: What preparing a run throws; `ConfigurationError` where steps and rates make no sense.
  public func find(
    _ configuration: TrainingConfiguration, network: Network? = nil
  ) throws -> Result {
    try ConfigurationError.require("steps", steps, in: 10...100_000)
    try ConfigurationError.require(
      lowest > 0 && lowest < highest && highest <= 1e6, "rates", [lowest, highest],
      "must ascend and lie above 0 and at most at 1000000")
    var configuration = configuration
    try configuration.validate()
    configuration.data = try configuration.data.resolved().settings
    let parts = try RunParts(configuration, network: network)
    for line in parts.data.warnings { warning(line) }
    configuration = parts.configuration
    _ = try parts.loadInitialWeights()
    let model = parts.model
    let named =
      model.parameters.filter { !parts.trained.isNeverTrained($0.name) }
      + (parts.features?.projections ?? [])
    let parameters = named.map(\.tensor)
    let optimizer = try configuration.optimizer.makeOptimizer(named, rates: parts.trained.rates)
    try model.freeze(
      parts.trained.frozen,
      resting: configuration.model.restingNorms(hasFrozen: !parts.trained.frozen.isEmpty))
    model.isTraining = true
    let stream = try parts.data.training.epochs(0..<Int.max)
    defer { stream.cancel() }
    var points: [Point] = []
    var (average, least) = (0.0, Double.infinity)
    for step in 0..<steps {
      let rate = lowest * pow(highest / lowest, Double(step) / Double(steps - 1))
      try ParameterList.zeroGradients(parameters)
      var random = RandomStream(
        seed: configuration.seed, purpose: .dropout, indices: UInt64(step))
      try model.generator.reseed(random.next())
      let loss = try learn(from: stream, parts, step: step)
      guard loss.isFinite else { break }
      average = Self.smoothing * average + (1 - Self.smoothing) * loss
      let smoothed = average / (1 - pow(Self.smoothing, Double(step + 1)))
      points.append(Point(rate: rate, loss: loss, smoothedLoss: smoothed))
      progress(step + 1, steps)
      // The first steps are too few for a mean.
      if step >= 5 {
        if smoothed > Self.limit * least { break }
        least = min(least, smoothed)
      }
      if stop.requested != nil { break }
      _ = try configuration.optimizer.clipGradients(of: parameters)
      try optimizer.step(learningRate: rate)
    }
    return result(points, configuration)
  }

  /// Forward and backward passes of one step.
  ///
  /// - Returns: The mean loss of its images.
  private func learn(from stream: BatchStream, _ parts: RunParts, step: Int) throws -> Double {
    let (configuration, model) = (parts.configuration, parts.model)
    var sum = 0.0
    for _ in 0..<configuration.accumulation {
      guard let batch = try stream.next() else {
        throw TrainingError.dataEnded(epoch: 1, batch: step)
      }
      let loss = try parts.objective.losses(of: batch) {
        try model.outputs(of: $0, precision: configuration.precision)
      }.total
      sum += try loss.item()
      try (loss * (1 / Double(configuration.accumulation))).backward()
      try model.finishBackward(autocast: configuration.precision.autocast)
    }
    return sum / Double(configuration.accumulation)
  }

  private func result(_ points: [Point], _ configuration: TrainingConfiguration) -> Result {
    let judged = points.dropFirst(min(5, points.count))
    guard let best = judged.min(by: { $0.smoothedLoss < $1.smoothedLoss }), let first = judged.first
    else { return Result(points: points, bestRate: points.last?.rate ?? lowest) }
    let hasFallen = best.smoothedLoss < 0.98 * first.smoothedLoss
    let factor = configuration.baseRate.rate / configuration.optimizer.learningRate
    return Result(
      points: points, bestRate: best.rate, suggestedRate: hasFallen ? best.rate / 10 : nil,
      suggestedSetting: hasFallen ? best.rate / 10 / factor : nil)
  }
}
