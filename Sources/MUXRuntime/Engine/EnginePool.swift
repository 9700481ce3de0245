// SPDX-License-Identifier: Apache-2.0
internal import Foundation
public import MUXImages
public import MUXTasks
internal import Synchronization

/// Engines for many callers at a time, as in a server: each call gets one that is free, or waits for it
/// without holding a thread.
///
/// ```swift
/// let pool = try EnginePool(InferencePlan(model: "pets.muxnet"))
/// let guesses = try await pool.classify(image)
/// ```
///
/// The engines share one plan. Images are computed on threads of the pool's own, so that the tasks of
/// the program go on meanwhile.
///
/// An engine leaves the free ones for a call and comes back after it, both with the lock held, so that
/// one thread at a time has it.
public final class EnginePool: Sendable {
  /// The plan that is run.
  public let plan: InferencePlan
  /// How many calls are computed at a time.
  public let size: Int

  /// An engine on its way from one thread to another; nobody else has it meanwhile.
  private struct Handed: @unchecked Sendable {
    let engine: InferenceEngine
  }

  private struct State {
    var free: [Handed]
    var waiting: [Call] = []
  }

  /// A call that waits for an engine.
  private typealias Call = @Sendable (Handed) -> Void

  private let state: Mutex<State>
  private let queue = DispatchQueue(
    label: "muxnet engines", qos: .userInitiated, attributes: .concurrent)

  /// A pool.
  ///
  /// - Parameters:
  ///   - plan: What is run.
  ///   - size: The engines; nil takes one for each core. Each has memory of its own
  ///     (``InferencePlan/arenaBytes``).
  ///   - threadsPerEngine: The threads that share one image (or a batch): more make one call faster,
  ///     one makes the most calls in all.
  /// - Throws: ``RuntimeError/poolSize(_:)``, or ``RuntimeError/threads(_:)``.
  public init(
    _ plan: InferencePlan, size: Int? = nil, threadsPerEngine: Int = 1
  ) throws(RuntimeError) {
    let size = size ?? max(1, InferenceEngine.coreCount / max(threadsPerEngine, 1))
    guard (1...1024).contains(size) else { throw .poolSize(size) }
    var free: [Handed] = []
    for _ in 0..<size {
      free.append(Handed(engine: try InferenceEngine(plan, threads: threadsPerEngine)))
    }
    self.plan = plan
    self.size = size
    state = Mutex(State(free: free))
  }

  /// The most likely classes of an image, most likely first.
  ///
  /// - Throws: As `InferenceEngine.classify`.
  public func classify(_ image: Image, top count: Int = 5) async throws -> [Prediction.Guess] {
    try await withEngine { try $0.classify(image, top: count) }
  }

  /// The most likely classes of several images, run as one batch.
  ///
  /// - Throws: As `InferenceEngine.classify`.
  public func classify(_ images: [Image], top count: Int = 5) async throws -> [[Prediction.Guess]] {
    try await withEngine { try $0.classify(images, top: count) }
  }

  /// The network's outputs for an image's numbers, [C, H, W].
  ///
  /// - Throws: As ``InferenceEngine/run(_:)``.
  public func run(_ pixels: [Float]) async throws -> [Float] {
    try await withEngine { try $0.run(pixels) }
  }

  /// Does something with an engine that nobody else has meanwhile. Callers get their turn in order.
  public func withEngine<Result: Sendable>(
    _ body: @escaping @Sendable (InferenceEngine) throws -> Result
  ) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
      enter { handed in
        let outcome = Swift.Result { try body(handed.engine) }
        self.leave(handed)
        continuation.resume(with: outcome)
      }
    }
  }

  private func enter(_ call: @escaping Call) {
    let handed = state.withLock { state -> Handed? in
      if let handed = state.free.popLast() { return handed }
      state.waiting.append(call)
      return nil
    }
    if let handed { start(call, handed) }
  }

  /// Gives an engine to who waits longest, or back.
  private func leave(_ handed: Handed) {
    let call = state.withLock { state -> Call? in
      if !state.waiting.isEmpty { return state.waiting.removeFirst() }
      state.free.append(handed)
      return nil
    }
    if let call { start(call, handed) }
  }

  private func start(_ call: @escaping Call, _ handed: Handed) {
    queue.async { call(handed) }
  }
}
