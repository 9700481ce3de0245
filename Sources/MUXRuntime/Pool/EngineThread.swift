// SPDX-License-Identifier: Apache-2.0
internal import Dispatch
internal import Foundation
internal import MUXCore
internal import Synchronization

/// A thread of a pool with the engine that it alone uses.
///
/// Unchecked because it holds an engine: only the thread that ``start()`` makes touches it.
final class EngineThread: @unchecked Sendable {
  private let number: Int
  private let engine: InferenceEngine
  private let queue: PoolQueue
  /// The images of a batch, as long as the largest one so far.
  private var pixels: [Float] = []

  init(_ number: Int, _ engine: InferenceEngine, _ queue: PoolQueue) {
    self.number = number
    self.engine = engine
    self.queue = queue
  }

  func start() {
    let thread = Thread { self.work() }
    thread.name = "muxnet engine \(number)"
    thread.qualityOfService = .userInitiated
    // Decoders of images may be run here, too, which the small stacks of some systems are not made for.
    thread.stackSize = 4 << 20
    thread.start()
  }

  private func work() {
    while let calls = queue.next(for: number) {
      compute(calls)
      queue.freed()
    }
    queue.left()
  }

  private func compute(_ calls: [PoolCall]) {
    var images: [PoolCall.ImageWork] = []
    for call in calls {
      switch call.work {
      case .image(let work): images.append(work)
      case .engine(let body): body(engine)
      }
    }
    if images.count == 1 { compute(images[0]) } else if images.count > 1 { compute(images) }
  }

  /// An image alone, which all threads of the engine share.
  private func compute(_ image: PoolCall.ImageWork) {
    var original = ImageSize(1)
    var failure: (any Error)?
    let outcome = Result { () throws(RuntimeError) in
      try engine.run(reading: image.reading) { input throws(RuntimeError) in
        do { original = try image.prepare(input) } catch {
          failure = error
          throw error as? RuntimeError ?? .preparation(reason: "\(error)")
        }
      }
    }
    let result: Result<PoolCall.Numbers, any Error>
    switch outcome {
    case .success(let values): result = .success(.init(values: values, original: original))
    case .failure(let error): result = .failure(failure ?? error)
    }
    image.finish(result)
  }

  /// Images that share a run: each thread of the engine prepares and computes some. An image that cannot
  /// be prepared fails alone.
  private func compute(_ images: [PoolCall.ImageWork]) {
    let size = engine.plan.inputShape.count
    if pixels.count < size * images.count {
      pixels = Array(repeating: 0, count: size * images.count)
    }
    let results = pixels.withUnsafeMutableBufferPointer {
      buffer -> [Result<PoolCall.Numbers, any Error>] in
      guard let start = buffer.baseAddress else { return [] }
      let place = BatchPlace(start: start, size: size)
      let prepared = Self.each(images.count, threads: engine.threads) { index in
        Result { try images[index].prepare(place[index]) }
      }
      for (index, result) in prepared.enumerated() {
        if case .failure = result { place[index].update(repeating: 0) }
      }
      let outcomes: [Result<[Float], RuntimeError>]
      do throws(RuntimeError) {
        outcomes = try engine.runEach(start, count: images.count, reading: images[0].reading)
      } catch {
        return images.map { _ in .failure(error) }
      }
      return zip(prepared, outcomes).map { prepared, outcome in
        Result { PoolCall.Numbers(values: try outcome.get(), original: try prepared.get()) }
      }
    }
    _ = Self.each(results.count, threads: engine.threads) { index in
      images[index].finish(results[index])
    }
  }

  /// Does something for each index, on as many threads as the engine has.
  private static func each<Value: Sendable>(
    _ count: Int, threads: Int, _ body: @Sendable (Int) -> Value
  ) -> [Value] {
    guard threads > 1 else { return (0..<count).map(body) }
    let values = Mutex<[Int: Value]>([:])
    let strips = min(threads, count)
    DispatchQueue.concurrentPerform(iterations: strips) { strip in
      for index in stride(from: strip, to: count, by: strips) {
        let value = body(index)
        values.withLock { $0[index] = value }
      }
    }
    return values.withLock { values in (0..<count).compactMap { values[$0] } }
  }
}

/// Where the images of a batch are prepared, each in a part of its own.
///
/// Unchecked because it holds a pointer; no two threads are given the same part.
private struct BatchPlace: @unchecked Sendable {
  let start: UnsafeMutablePointer<Float>
  let size: Int

  subscript(index: Int) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: start + index * size, count: size)
  }
}
