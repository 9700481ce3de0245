// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import Foundation
internal import MUXImages
internal import MUXNetworks
internal import MUXTasks
internal import Synchronization

/// Runs a plan on images. An engine has threads and memory of its own and is used by one caller
/// at a time; several engines can share one plan.
///
/// A call while another one runs is an error (``RuntimeError/engineInUse``), never a wrong result.
public final class InferenceEngine {
  /// The cores of this machine that may be used.
  public static var coreCount: Int { ProcessInfo.processInfo.activeProcessorCount }

  /// The plan that is run.
  public let plan: InferencePlan
  /// The threads that work on an image (or each on one of a batch), the caller included.
  public let threads: Int
  private let pool: OpaquePointer
  /// The tensors of one image, for each thread that has computed an image of a batch; the first one
  /// always. They are here, not in an array, since a thread of the pool that wakes late may look at
  /// them after the run is over.
  private let arenas: UnsafeMutablePointer<UnsafeMutablePointer<Float>?>
  private var arenaCount = 0
  /// One for each thread.
  private let scratch: UnsafeMutablePointer<UnsafeMutablePointer<Float>?>
  private let memory: PlanMemory
  private let isInUse = Atomic<Bool>(false)
  /// What prepares images, from the first one on.
  private var prepares: Preparation?
  /// What makes boxes of outputs, from the first image of a detector on.
  private var detects: DetectionHead?

  /// An engine.
  ///
  /// - Parameters:
  ///   - plan: What is run.
  ///   - threads: 1 to 1024, best at most the number of cores (``coreCount``); threads wait asleep
  ///     between runs.
  /// - Throws: ``RuntimeError/threads(_:)`` if that many threads cannot be had.
  public init(_ plan: InferencePlan, threads: Int = 1) throws(RuntimeError) {
    guard (1...1024).contains(threads), let pool = mux_thread_pool_create(Int32(threads)) else {
      throw .threads(threads)
    }
    self.plan = plan
    self.threads = threads
    self.pool = pool
    memory = PlanMemory(isGuarded: plan.isGuarded)
    arenas = memory.allocate(UnsafeMutablePointer<Float>?.self, threads)
    arenas.initialize(repeating: nil, count: threads)
    scratch = memory.allocate(UnsafeMutablePointer<Float>?.self, threads)
    for thread in 0..<threads {
      (scratch + thread).initialize(to: memory.allocate(Float.self, plan.scratchSize))
    }
    addArenas(1)
  }

  deinit {
    mux_thread_pool_destroy(pool)
  }

  /// Which numbers of a run are wanted.
  enum Reading: Hashable, Sendable {
    /// The network's outputs.
    case outputs
    /// What the last fully connected layer reads.
    case features
  }

  /// Runs one image.
  ///
  /// - Parameter pixels: [C, H, W], normalised as in training.
  /// - Returns: The network's output, [C′, H′, W′]; the logits of a classifier. Several outputs come
  ///   one after the other, as ``InferencePlan/outputs`` says.
  /// - Throws: ``RuntimeError`` for pixels of another number, or where pixels or results are not
  ///   finite.
  public func run(_ pixels: [Float]) throws(RuntimeError) -> [Float] {
    try run(pixels, reading: .outputs)
  }

  func run(_ pixels: [Float], reading: Reading) throws(RuntimeError) -> [Float] {
    try alone { () throws(RuntimeError) in
      try check(pixels.count, images: 1)
      try check(reading)
      try place(pixels)
      return try runPlaced(reading)
    }
  }

  /// Runs an image that `fill` writes to where the plan reads it, [C, H, W].
  package func run(filling fill: (UnsafeMutableBufferPointer<Float>) -> Void) throws(RuntimeError)
    -> [Float]
  {
    try run(reading: .outputs) { input throws(RuntimeError) in fill(input) }
  }

  func run(
    reading: Reading,
    filling fill: (UnsafeMutableBufferPointer<Float>) throws(RuntimeError) -> Void
  ) throws(RuntimeError) -> [Float] {
    try alone { () throws(RuntimeError) in
      try check(reading)
      let count = plan.inputShape.count
      guard let input = arenas[0].map({ $0 + plan.inputOffset }) else { return [] }
      try fill(UnsafeMutableBufferPointer(start: input, count: count))
      guard mux_copy_finite(plan.instructionSet.kernels, input, input, count) else {
        throw .notFinite
      }
      return try runPlaced(reading)
    }
  }

  /// Runs an image, prepared as the model says.
  func run(_ image: Image, reading: Reading) throws(RuntimeError) -> [Float] {
    let preparation = try preparation()
    return try run(reading: reading) { input throws(RuntimeError) in
      try preparation.write(image, for: plan, to: input)
    }
  }

  /// What prepares images for the plan.
  func preparation() throws(RuntimeError) -> Preparation {
    if let prepares { return prepares }
    let made = try plan.preparation()
    prepares = made
    return made
  }

  /// What makes boxes of the plan's outputs.
  func detectionHead() throws(RuntimeError) -> DetectionHead {
    if let detects { return detects }
    let made = try plan.detectionHead()
    detects = made
    return made
  }

  private func runPlaced(_ reading: Reading) throws(RuntimeError) -> [Float] {
    runSteps(nil)
    guard let arena = arenas[0] else { return [] }
    guard let place = plan.place(of: reading) else {
      let features = (plan.featurePlace?.offsets ?? []).map { arena[$0] }
      guard Self.areFinite(features[...]) else {
        throw .resultNotFinite(network: plan.name, image: 0)
      }
      return features
    }
    let kernels = plan.instructionSet.kernels
    var isFinite = false
    let values = [Float](unsafeUninitializedCapacity: place.count) { values, initialized in
      isFinite =
        values.baseAddress.map { mux_copy_finite(kernels, $0, arena + place.offset, place.count) }
        ?? true
      initialized = place.count
    }
    guard isFinite else { throw .resultNotFinite(network: plan.name, image: 0) }
    return values
  }

  /// Runs several images, each on one thread.
  ///
  /// - Parameters:
  ///   - pixels: [N, C, H, W], normalised as in training.
  ///   - count: N; 0 gives no outputs.
  /// - Returns: The outputs one after the other; those of an image do not depend on the others, nor
  ///   on the number of threads.
  /// - Throws: ``RuntimeError`` for pixels of another number, or where pixels or results are not
  ///   finite.
  public func run(_ pixels: [Float], count: Int) throws(RuntimeError) -> [Float] {
    try alone { () throws(RuntimeError) in
      try check(pixels.count, images: count)
      guard count > 0 else { return [] }
      guard Self.areFinite(pixels[...]) else { throw .notFinite }
      // One for each thread that can have an image. Threads beyond those that have one take none, so
      // that no two ever compute in the same.
      addArenas(min(threads, count))
      let outputSize = plan.outputShape.count
      let outputs = [Float](unsafeUninitializedCapacity: count * outputSize) {
        outputs, initialized in
        pixels.withUnsafeBufferPointer { pixels in
          mux_thread_pool_run_images(
            pool, plan.instructionSet.kernels, plan.compiled, Int32(plan.steps.count), arenas,
            Int32(arenaCount), scratch, Int32(count), pixels.baseAddress, plan.inputShape.count,
            plan.inputOffset, outputs.baseAddress, outputSize, plan.outputOffset)
        }
        initialized = count * outputSize
      }
      if !Self.areFinite(outputs[...]) {
        let image = (0..<count).first {
          !Self.areFinite(outputs[$0 * outputSize..<($0 + 1) * outputSize])
        }
        throw .resultNotFinite(network: plan.name, image: image ?? 0)
      }
      return outputs
    }
  }

  /// Runs several images, each of which has an outcome of its own: one with numbers that are not finite
  /// does not spoil the others.
  ///
  /// - Parameters:
  ///   - pixels: `count` images one after the other, which may be changed.
  ///   - reading: Which numbers are wanted.
  /// - Returns: For each image what it gets alone.
  func runEach(
    _ pixels: UnsafeMutablePointer<Float>, count: Int, reading: Reading
  ) throws(RuntimeError) -> [Result<[Float], RuntimeError>] {
    try alone { () throws(RuntimeError) in
      try check(reading)
      let kernels = plan.instructionSet.kernels, size = plan.inputShape.count
      var isFinite: [Bool] = []
      for image in 0..<count {
        let start = pixels + image * size
        isFinite.append(mux_copy_finite(kernels, start, start, size))
        // The kernels are not given what is no number.
        if isFinite[image] == false { start.update(repeating: 0, count: size) }
      }
      guard let place = plan.place(of: reading) else {
        return isFinite.indices.map { image in
          Result { () throws(RuntimeError) in
            guard isFinite[image], let arena = arenas[0] else { throw .notFinite }
            (arena + plan.inputOffset).update(from: pixels + image * size, count: size)
            return try runPlaced(reading)
          }
        }
      }
      addArenas(min(threads, count))
      let values = [Float](unsafeUninitializedCapacity: count * place.count) {
        values, initialized in
        mux_thread_pool_run_images(
          pool, kernels, plan.compiled, Int32(plan.steps.count), arenas, Int32(arenaCount), scratch,
          Int32(count), pixels, size, plan.inputOffset, values.baseAddress, place.count,
          place.offset)
        initialized = count * place.count
      }
      return isFinite.indices.map { image in
        guard isFinite[image] else { return .failure(.notFinite) }
        let own = values[image * place.count..<(image + 1) * place.count]
        return Self.areFinite(own)
          ? .success(Array(own)) : .failure(.resultNotFinite(network: plan.name, image: 0))
      }
    }
  }

  /// Where the arenas lie, in the order of the threads that have one. The others take no image.
  package var arenaAddresses: [UnsafeMutablePointer<Float>?] {
    (0..<arenaCount).map { arenas[$0] }
  }

  /// Runs an image through a plan that measures; gives the ranges of its tensors.
  func observe(_ pixels: [Float]) throws(RuntimeError) -> Calibration {
    guard let arena = arenas[0] else { return Calibration() }
    for observation in plan.observations {
      arena[observation.offset] = .infinity
      arena[observation.offset + 1] = -.infinity
    }
    _ = try run(pixels)
    var calibration = Calibration()
    for observation in plan.observations {
      let low = arena[observation.offset], high = arena[observation.offset + 1]
      // Tensors that a step does not have stay unmeasured; 0…0 is as good as any range.
      calibration.ranges[observation.key] =
        low <= high ? .init(low: low, high: high) : .init(low: 0, high: 0)
    }
    return calibration
  }

  /// Runs an image `count` times; gives the shortest time of each step in nanoseconds.
  package func profile(_ pixels: [Float], count: Int) throws(RuntimeError) -> [UInt64] {
    try alone { () throws(RuntimeError) in
      try check(pixels.count, images: 1)
      var shortest = Array(repeating: UInt64.max, count: plan.steps.count)
      for _ in 0..<max(count, 1) {
        try place(pixels)
        var nanoseconds = Array(repeating: UInt64(0), count: plan.steps.count)
        nanoseconds.withUnsafeMutableBufferPointer { runSteps($0.baseAddress) }
        for index in shortest.indices {
          shortest[index] = min(shortest[index], nanoseconds[index])
        }
      }
      return shortest
    }
  }

  private func runSteps(_ nanoseconds: UnsafeMutablePointer<UInt64>?) {
    mux_thread_pool_run(
      pool, plan.instructionSet.kernels, plan.compiled, Int32(plan.steps.count), arenas[0],
      scratch, nanoseconds)
  }

  /// Does something with the engine's memory while nobody else does.
  private func alone<Result>(
    _ body: () throws(RuntimeError) -> Result
  ) throws(RuntimeError) -> Result {
    guard !isInUse.exchange(true, ordering: .acquiring) else { throw .engineInUse }
    defer { isInUse.store(false, ordering: .releasing) }
    try plan.checkFile()
    return try body()
  }

  private func place(_ pixels: [Float]) throws(RuntimeError) {
    let isFinite = pixels.withUnsafeBufferPointer { pixels in
      if let arena = arenas[0], let start = pixels.baseAddress {
        mux_copy_finite(
          plan.instructionSet.kernels, arena + plan.inputOffset, start, pixels.count)
      } else {
        false
      }
    }
    guard isFinite else { throw .notFinite }
  }

  private func check(_ actual: Int, images: Int) throws(RuntimeError) {
    guard (0...Int(Int32.max)).contains(images) else { throw .imageCount(images) }
    let (expected, overflow) = plan.inputShape.count.multipliedReportingOverflow(by: images)
    guard !overflow, actual == expected else {
      throw .pixelCount(
        expected: overflow ? .max : expected, actual: actual, shape: "\(plan.inputShape)")
    }
  }

  private func check(_ reading: Reading) throws(RuntimeError) {
    guard reading == .outputs || plan.featurePlace != nil else {
      throw .noFeatures(network: plan.name)
    }
  }

  private static func areFinite(_ values: ArraySlice<Float>) -> Bool {
    var isFinite = true
    for value in values where !(value - value == 0) { isFinite = false }
    return isFinite
  }

  /// Makes more arenas, until there are `count`.
  private func addArenas(_ count: Int) {
    while arenaCount < count {
      let arena = memory.allocate(Float.self, plan.arenaSize)
      for range in plan.guards {
        PlanMemory.protect(arena, offset: range.lowerBound * 4, count: range.count * 4)
      }
      arenas[arenaCount] = arena
      arenaCount += 1
    }
  }
}
