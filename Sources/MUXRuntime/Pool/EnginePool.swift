// SPDX-License-Identifier: Apache-2.0
internal import MUXCore
internal import MUXTasks

/// Engines for many callers at a time, as in a server: each call gets one that is free, or waits for it
/// without holding a thread.
///
/// ```swift
/// let pool = try EnginePool(InferencePlan(model: "pets.muxnet"))
/// let guesses = try await pool.classify(image)
/// ```
///
/// The engines share one plan. Images are prepared and computed on threads of the pool's own, so that
/// the tasks of the program go on meanwhile. Every call gives what an engine alone gives, to the bit.
/// A task that is cancelled while its call waits ends at once with `CancellationError`; a call that is
/// being computed ends with its result, milliseconds later.
public final class EnginePool: Sendable {
  /// The plan that is run.
  public let plan: InferencePlan
  /// How many runs are computed at a time.
  public let size: Int
  /// The threads that share one image (or a batch).
  public let threadsPerEngine: Int
  /// How images of several callers share a run.
  public let batching: Batching
  /// How many calls may wait; nil for any number.
  public let waitingLimit: Int?

  let preparation: Result<Preparation, RuntimeError>
  let head: Result<DetectionHead, RuntimeError>
  private let queue: PoolQueue

  /// A pool.
  ///
  /// - Parameters:
  ///   - plan: What is run.
  ///   - size: The engines; nil takes as many as give each thread a core. Each has memory of its own
  ///     (``InferencePlan/arenaBytes``).
  ///   - threadsPerEngine: The threads that share one image (or a batch): more make one call faster,
  ///     one makes the most calls in all.
  ///   - batching: How images of several callers share a run; best with several threads an engine.
  ///   - waitingLimit: How many calls may wait. More are refused with ``RuntimeError/poolFull(waiting:)``,
  ///     so that a server can say it is busy instead of answering later and later. With nil all wait,
  ///     each in its task, which goes no further meanwhile.
  /// - Throws: ``RuntimeError/poolSize(_:)``, ``RuntimeError/threads(_:)``,
  ///   ``RuntimeError/batching(images:seconds:)`` or ``RuntimeError/waitingLimit(_:)``.
  public init(
    _ plan: InferencePlan, size: Int? = nil, threadsPerEngine: Int = 1,
    batching: Batching = .none, waitingLimit: Int? = nil
  ) throws(RuntimeError) {
    let size = size ?? max(1, InferenceEngine.coreCount / max(threadsPerEngine, 1))
    guard PoolLimits.engines.contains(size) else { throw .poolSize(size) }
    guard PoolLimits.images.contains(batching.images),
      PoolLimits.seconds.contains(batching.seconds)
    else { throw .batching(images: batching.images, seconds: batching.seconds) }
    if let waitingLimit, waitingLimit < 0 { throw .waitingLimit(waitingLimit) }
    var engines: [InferenceEngine] = []
    for _ in 0..<size { engines.append(try InferenceEngine(plan, threads: threadsPerEngine)) }
    self.plan = plan
    self.size = size
    self.threadsPerEngine = threadsPerEngine
    self.batching = batching
    self.waitingLimit = waitingLimit
    preparation = Result { () throws(RuntimeError) in try plan.preparation() }
    head = Result { () throws(RuntimeError) in try plan.detectionHead() }
    let queue = PoolQueue(
      .init(images: batching.images, delay: batching.delay, waiting: waitingLimit), threads: size)
    self.queue = queue
    for (number, engine) in engines.enumerated() { EngineThread(number, engine, queue).start() }
  }

  deinit {
    // No call is left: each keeps its pool.
    queue.shutDown(finishingWaiting: true)
  }

  /// What the pool has done and is doing.
  public var counts: Counts { queue.counts }

  /// Takes no more calls (``RuntimeError/poolShutDown``) and returns when those that it has are over and
  /// its threads and memory are given back. A second call returns then, too.
  ///
  /// - Parameter finishingWaiting: Whether calls that wait are computed; else only those that are being
  ///   computed are finished, and the others are refused.
  public func shutDown(finishingWaiting: Bool = true) async {
    queue.shutDown(finishingWaiting: finishingWaiting)
    await queue.ended()
  }

  /// The network's outputs for an image's numbers, [C, H, W].
  ///
  /// - Parameter pixels: [C, H, W], normalised as in training.
  /// - Returns: What ``InferenceEngine/run(_:)`` gives.
  /// - Throws: As ``InferenceEngine/run(_:)``, and what pools throw: `CancellationError`,
  ///   ``RuntimeError/poolFull(waiting:)`` and ``RuntimeError/poolShutDown``.
  public func run(_ pixels: [Float]) async throws -> [Float] {
    let shape = plan.inputShape
    guard pixels.count == shape.count else {
      throw RuntimeError.pixelCount(
        expected: shape.count, actual: pixels.count, shape: "\(shape)")
    }
    return try await compute(.outputs) { input in
      _ = input.update(fromContentsOf: pixels)
      return ImageSize(height: shape.height, width: shape.width)
    } making: {
      $0.values
    }
  }

  /// Does something with an engine that nobody else has meanwhile. Callers get their turn in order.
  ///
  /// - Parameter body: What is done, on a thread of the pool; it must not wait for other calls.
  /// - Throws: What `body` throws, and what pools throw.
  public func withEngine<Result: Sendable>(
    _ body: @escaping @Sendable (InferenceEngine) throws -> Result
  ) async throws -> Result {
    try await wait { [queue] continuation in
      .engine { engine in
        let outcome = Swift.Result { try body(engine) }
        queue.finished(outcome)
        continuation.resume(with: outcome)
      }
    }
  }

  /// Computes an image, alone or with others.
  ///
  /// - Parameters:
  ///   - reading: Which numbers are wanted.
  ///   - prepare: Writes the image to where it is computed, and gives the size that it had.
  ///   - making: What is made of the numbers.
  func compute<Value: Sendable>(
    _ reading: InferenceEngine.Reading,
    _ prepare: @escaping @Sendable (UnsafeMutableBufferPointer<Float>) throws -> ImageSize,
    making: @escaping @Sendable (PoolCall.Numbers) throws -> Value
  ) async throws -> Value {
    try await wait { [queue] continuation in
      .image(
        PoolCall.ImageWork(reading: reading, prepare: prepare) { numbers in
          let outcome = Swift.Result { try making(numbers.get()) }
          queue.finished(outcome)
          continuation.resume(with: outcome)
        })
    }
  }

  /// Waits for an engine's turn, and for what comes of it.
  private func wait<Value: Sendable>(
    _ work: (CheckedContinuation<Value, any Error>) -> PoolCall.Work
  ) async throws -> Value {
    let ticket = PoolTicket()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        queue.enter(
          PoolCall(work: work(continuation), refuse: { continuation.resume(throwing: $0) }), ticket)
      }
    } onCancel: {
      queue.cancel(ticket)
    }
  }
}

extension PoolQueue {
  /// Notes how a call ended.
  fileprivate func finished<Value>(_ outcome: Result<Value, any Error>) {
    if case .success = outcome { finished(succeeded: true) } else { finished(succeeded: false) }
  }
}
