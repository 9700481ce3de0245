// SPDX-License-Identifier: Apache-2.0

extension EnginePool {
  /// How a pool gathers images of several callers into one run.
  ///
  /// Results do not depend on it. An engine with one thread gains nothing from batches; one with several
  /// computes more images in a second when each thread has images of its own, and a single one sooner
  /// when they share it.
  public struct Batching: Sendable, Hashable {
    /// The most images of a run.
    public var images: Int
    /// How long an image waits for others at most, if an engine is free. Zero takes those that wait
    /// already, which are many only if the pool is busy.
    public var delay: Duration

    /// A way to gather.
    public init(images: Int, delay: Duration = .zero) {
      self.images = images
      self.delay = delay
    }

    /// Each image has a run of its own.
    public static let none = Batching(images: 1)

    /// The delay in seconds.
    var seconds: Double {
      Double(delay.components.seconds) + Double(delay.components.attoseconds) * 1e-18
    }
  }

  /// What a pool has done so far, and what it is doing.
  public struct Counts: Sendable, Hashable {
    /// Calls that wait for an engine.
    public var waiting = 0
    /// Calls that are being computed.
    public var computing = 0
    /// Calls that gave a result.
    public var finished = 0
    /// Calls that gave an error of their own, such as an image that cannot be prepared.
    public var failed = 0
    /// Calls that were cancelled while they waited.
    public var cancelled = 0
    /// Calls that were not taken: too many waited, or the pool was shut down.
    public var refused = 0
    /// Runs of engines: less than the calls, where images share some.
    public var runs = 0

    /// Counts that begin at 0.
    public init() {}
  }
}
