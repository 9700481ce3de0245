// SPDX-License-Identifier: Apache-2.0
import MUXImages
public import MUXNetworks
import MUXRuntime

/// Times a network in one or several engines on this machine, run by run in turns.
public struct InferenceBenchmark {
  /// What one line of the result is about.
  public struct Setting: Codable, Hashable, Sendable {
    /// What computes, such as `runtime` or `torch`.
    public var engine: String
    /// The precision of products, such as `float32`.
    public var precision: String
    /// Threads that compute.
    public var threads: Int
    /// Images in a batch.
    public var batchSize: Int

    /// A setting from its parts.
    public init(engine: String, precision: String = "float32", threads: Int, batchSize: Int) {
      self.engine = engine
      self.precision = precision
      self.threads = threads
      self.batchSize = batchSize
    }
  }

  /// One line of the result.
  public struct Row: Codable, Hashable, Sendable {
    /// What was timed.
    public var setting: Setting
    /// The fastest run, in seconds for the whole batch.
    public var minimumSeconds: Double
    /// The middle run.
    public var medianSeconds: Double
    /// The time that 95 % of the runs do not exceed.
    public var percentile95Seconds: Double
    /// Images per second at the median.
    public var imagesPerSecond: Double
    /// Multiply-adds per second of the fastest run, as a share of one core's measured peak times
    /// the threads.
    public var shareOfPeak: Double
    /// Runs that were timed.
    public var runs: Int
  }

  /// What is timed.
  public let network: Network
  /// Multiply-adds for one image.
  public let multiplyAdds: Int
  /// Multiply-adds per second that one core reached in registers, measured before the runs.
  public let peak: Double
  private var settings: [Setting] = []
  private var subjects: [InterleavedTiming.Subject] = []

  /// A benchmark of a network at its own image size.
  public init(_ network: Network) throws {
    self.network = network
    multiplyAdds = try CostReport(network).multiplyAdds
    peak = InstructionSet.current.measuredPeak()
  }

  /// Adds an engine at a batch size.
  ///
  /// - Parameters:
  ///   - setting: What is timed.
  ///   - model: The engine.
  ///   - prepare: Called before each turn, not timed.
  public mutating func add(
    _ setting: Setting, model: any VisionModel, prepare: @escaping () throws -> Void = {}
  ) {
    let size = network.inputSize
    let count = setting.batchSize * network.inputChannels * size.height * size.width
    // A fixed pattern around zero: time does not depend on the values, but denormals would.
    let batch = PixelBatch(
      count: setting.batchSize, channels: network.inputChannels, height: size.height,
      width: size.width,
      layout: model.layout, values: (0..<count).map { Float($0 % 255) / 127 - 1 })
    settings.append(setting)
    subjects.append(
      InterleavedTiming.Subject(
        repetitions: max(1, 16 / setting.batchSize), prepare: prepare,
        body: { _ = try model.outputs(batch) }))
  }

  /// Runs all that was added.
  ///
  /// - Parameters:
  ///   - warmUp: Runs of each before the first turn, not timed.
  ///   - rounds: Turns of each; small batches run several times in a turn (16 images).
  ///   - progress: Told of each round that is done.
  public func run(
    warmUp: Int, rounds: Int, progress: (Int) -> Void = { _ in }
  ) throws -> [Row] {
    let times = try InterleavedTiming.run(
      subjects, warmUp: warmUp, rounds: rounds, progress: progress)
    return zip(settings, times).map { setting, times in
      let work = Double(multiplyAdds * setting.batchSize)
      return Row(
        setting: setting, minimumSeconds: times.minimum, medianSeconds: times.median,
        percentile95Seconds: times.percentile95,
        imagesPerSecond: Double(setting.batchSize) / max(times.median, 1e-12),
        shareOfPeak: work / max(times.minimum, 1e-12) / (peak * Double(setting.threads)),
        runs: times.seconds.count)
    }
  }
}
