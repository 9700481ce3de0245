// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import Foundation
internal import MUXNetworks

/// Runs a plan on images. An engine has threads and memory of its own and is used by one caller
/// at a time; several engines can share one plan.
public final class InferenceEngine {
  /// The cores of this machine that may be used.
  public static var coreCount: Int { ProcessInfo.processInfo.activeProcessorCount }

  /// The plan that is run.
  public let plan: InferencePlan
  /// The threads that work on an image (or each on one of a batch), the caller included.
  public let threads: Int
  private let pool: OpaquePointer
  private var arenas: [UnsafeMutablePointer<Float>] = []
  private var scratch: [UnsafeMutablePointer<Float>?] = []
  private let memory: PlanMemory

  /// An engine.
  ///
  /// - Parameters:
  ///   - plan: What is run.
  ///   - threads: 1 to the number of cores; threads wait asleep between runs.
  /// - Throws: ``RuntimeError/threads(_:)`` if that many threads cannot be had.
  public init(_ plan: InferencePlan, threads: Int = 1) throws(RuntimeError) {
    guard (1...1024).contains(threads), let pool = mux_thread_pool_create(Int32(threads)) else {
      throw .threads(threads)
    }
    self.plan = plan
    self.threads = threads
    self.pool = pool
    memory = PlanMemory(isGuarded: plan.isGuarded)
    for _ in 0..<threads { scratch.append(memory.allocate(Float.self, plan.scratchSize)) }
    addArena()
  }

  deinit {
    mux_thread_pool_destroy(pool)
  }

  /// Runs one image.
  ///
  /// - Parameter pixels: [C, H, W], normalised as in training.
  /// - Returns: The network's output, [C′, H′, W′]; the logits of a classifier. Several outputs come
  ///   one after the other, as ``InferencePlan/outputs`` says.
  /// - Throws: ``RuntimeError`` for pixels of another number, or that are not finite.
  public func run(_ pixels: [Float]) throws(RuntimeError) -> [Float] {
    try check(pixels.count, images: 1)
    try place(pixels)
    return runPlaced()
  }

  /// Runs an image that `fill` writes to where the plan reads it, [C, H, W].
  func run(filling fill: (UnsafeMutableBufferPointer<Float>) -> Void) throws(RuntimeError)
    -> [Float]
  {
    let input = arenas[0] + plan.inputOffset, count = plan.inputShape.count
    fill(UnsafeMutableBufferPointer(start: input, count: count))
    guard mux_copy_finite(plan.instructionSet.kernels, input, input, count) else {
      throw .notFinite
    }
    return runPlaced()
  }

  private func runPlaced() -> [Float] {
    runSteps(nil)
    let start = arenas[0] + plan.outputOffset
    return Array(UnsafeBufferPointer(start: start, count: plan.outputShape.count))
  }

  /// Runs several images, each on one thread.
  ///
  /// - Parameters:
  ///   - pixels: [N, C, H, W], normalised as in training.
  ///   - count: N.
  /// - Returns: The outputs one after the other.
  /// - Throws: ``RuntimeError`` for pixels of another number, or that are not finite.
  public func run(_ pixels: [Float], count: Int) throws(RuntimeError) -> [Float] {
    try check(pixels.count, images: count)
    let outputSize = plan.outputShape.count
    while arenas.count < min(threads, max(count, 1)) { addArena() }
    var isFinite = true
    for pixel in pixels where !(pixel - pixel == 0) { isFinite = false }
    guard isFinite else { throw .notFinite }
    var bases: [UnsafeMutablePointer<Float>?] = (0..<threads).map {
      arenas[min($0, arenas.count - 1)]
    }
    return [Float](unsafeUninitializedCapacity: count * outputSize) { outputs, initialized in
      pixels.withUnsafeBufferPointer { pixels in
        plan.compiled.withUnsafeBufferPointer { steps in
          mux_thread_pool_run_images(
            pool, plan.instructionSet.kernels, steps.baseAddress, Int32(steps.count), &bases,
            &scratch, Int32(count), pixels.baseAddress, plan.inputShape.count,
            plan.inputOffset, outputs.baseAddress, outputSize, plan.outputOffset)
        }
      }
      initialized = count * outputSize
    }
  }

  /// Runs an image through a plan that measures; gives the ranges of its tensors.
  func observe(_ pixels: [Float]) throws(RuntimeError) -> Calibration {
    for observation in plan.observations {
      arenas[0][observation.offset] = .infinity
      arenas[0][observation.offset + 1] = -.infinity
    }
    _ = try run(pixels)
    var calibration = Calibration()
    for observation in plan.observations {
      let low = arenas[0][observation.offset], high = arenas[0][observation.offset + 1]
      // Tensors that a step does not have stay unmeasured; 0…0 is as good as any range.
      calibration.ranges[observation.key] =
        low <= high ? .init(low: low, high: high) : .init(low: 0, high: 0)
    }
    return calibration
  }

  /// Runs an image `count` times; gives the shortest time of each step in nanoseconds.
  package func profile(_ pixels: [Float], count: Int) throws(RuntimeError) -> [UInt64] {
    try check(pixels.count, images: 1)
    var shortest = Array(repeating: UInt64.max, count: plan.steps.count)
    for _ in 0..<count {
      try place(pixels)
      var nanoseconds = Array(repeating: UInt64(0), count: plan.steps.count)
      nanoseconds.withUnsafeMutableBufferPointer { runSteps($0.baseAddress) }
      for index in shortest.indices { shortest[index] = min(shortest[index], nanoseconds[index]) }
    }
    return shortest
  }

  private func runSteps(_ nanoseconds: UnsafeMutablePointer<UInt64>?) {
    plan.compiled.withUnsafeBufferPointer { steps in
      mux_thread_pool_run(
        pool, plan.instructionSet.kernels, steps.baseAddress, Int32(steps.count), arenas[0],
        &scratch, nanoseconds)
    }
  }

  private func place(_ pixels: [Float]) throws(RuntimeError) {
    let isFinite = pixels.withUnsafeBufferPointer {
      $0.baseAddress.map {
        mux_copy_finite(
          plan.instructionSet.kernels, arenas[0] + plan.inputOffset, $0, pixels.count)
      }
    }
    guard isFinite == true else { throw .notFinite }
  }

  private func check(_ actual: Int, images: Int) throws(RuntimeError) {
    let expected = plan.inputShape.count * max(images, 1)
    guard actual == expected, images > 0 else {
      throw .pixelCount(expected: expected, actual: actual, shape: "\(plan.inputShape)")
    }
  }

  private func addArena() {
    let arena = memory.allocate(Float.self, plan.arenaSize)
    for range in plan.guards {
      PlanMemory.protect(arena, offset: range.lowerBound * 4, count: range.count * 4)
    }
    arenas.append(arena)
  }
}
