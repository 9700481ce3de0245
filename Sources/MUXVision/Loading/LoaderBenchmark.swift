// SPDX-License-Identifier: Apache-2.0

/// How many images a loader makes in a second when nothing waits for it but the next request.
public struct LoaderBenchmark: Sendable, Hashable, Codable {
  /// Images made.
  public var images: Int
  /// Batches made.
  public var batches: Int
  /// Wall time.
  public var seconds: Double
  /// Worker threads.
  public var workers: Int
  /// Images per second; 0 before any time has passed.
  public var imagesPerSecond: Double { seconds > 0 ? Double(images) / seconds : 0 }

  /// Takes batches for a while, epoch after epoch, after a warm-up of one batch.
  /// - Parameters:
  ///   - loader: The loader.
  ///   - atLeastSeconds: How long to go on.
  /// - Throws: What the loader throws.
  public init(_ loader: DataLoader, atLeastSeconds: Double = 3) throws {
    let stream = try loader.epochs(0..<Int.max)
    _ = try stream.next()
    images = 0
    batches = 0
    workers = loader.settings.workers
    seconds = 0
    let start = ContinuousClock.now
    while seconds < atLeastSeconds, let batch = try stream.next() {
      images += batch.count
      batches += 1
      seconds = (ContinuousClock.now - start) / .seconds(1)
    }
    stream.cancel()
  }
}
