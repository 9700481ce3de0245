// SPDX-License-Identifier: Apache-2.0
import MUXCore
public import MUXImages

/// How a data loader makes its batches.
public struct LoaderSettings: Sendable, Hashable, Codable {
  /// Images in a batch.
  public var batchSize: Int
  /// Whether each epoch has an order of its own, which follows from (seed, epoch).
  public var shuffles: Bool
  /// The seed of order and augmentation.
  public var seed: UInt64
  /// Whether a last, shorter batch is left out.
  public var dropsLast: Bool
  /// Threads that make batches ahead; 0 makes each batch when it is asked for.
  public var workers: Int
  /// The most batches that are made or waiting at any time.
  public var prefetch: Int
  /// The order of the values in memory.
  public var layout: MemoryLayout4D

  /// Makes the settings.
  public init(
    batchSize: Int, shuffles: Bool = false, seed: UInt64 = 0, dropsLast: Bool = false,
    workers: Int = 2, prefetch: Int = 4, layout: MemoryLayout4D = .channelsFirst
  ) {
    self.batchSize = batchSize
    self.shuffles = shuffles
    self.seed = seed
    self.dropsLast = dropsLast
    self.workers = workers
    self.prefetch = prefetch
    self.layout = layout
  }
}

/// Makes batches of a data set on threads of its own, ahead of their use.
///
/// A batch follows from the data, the pipeline, the settings, the epoch and its number alone: it
/// does not depend on the number of workers or on where the stream started, so that a run can be
/// resumed at any batch.
///
/// ```swift
/// let loader = try DataLoader(folder, pipeline: pipeline,
///                             settings: LoaderSettings(batchSize: 128, shuffles: true, seed: 1))
/// let batches = try loader.epoch(0)
/// while let batch = try batches.next() { train(on: batch) }
/// ```
public struct DataLoader: Sendable {
  /// Where the samples come from.
  public let dataSet: any ImageDataSet
  /// What is done to each.
  public let pipeline: ImagePipeline
  /// How batches are made.
  public let settings: LoaderSettings

  /// How often each sample comes up; nil where an epoch has each once.
  public let shares: SampleShares?
  /// The part of the batches that this loader makes; nil for all of them.
  public let share: LoaderShare?

  private let normalizer: Normalizer

  /// Makes a loader; nothing is read yet. Shares of samples take the place of a shuffled order; one of
  /// several processes makes its part of the batches alone.
  /// - Throws: `LoaderError` if the data set is empty, too small for one batch while short ones
  ///   are dropped, or a setting makes no sense.
  public init(
    _ dataSet: any ImageDataSet, pipeline: ImagePipeline, settings: LoaderSettings,
    shares: SampleShares? = nil, share: LoaderShare? = nil
  ) throws(LoaderError) {
    guard settings.batchSize > 0 else {
      throw .badSetting(name: "batchSize", value: settings.batchSize, expected: "at least 1")
    }
    guard settings.workers >= 0 && settings.workers <= 1024 else {
      throw .badSetting(name: "workers", value: settings.workers, expected: "0 … 1024")
    }
    guard settings.prefetch > 0 else {
      throw .badSetting(name: "prefetch", value: settings.prefetch, expected: "at least 1")
    }
    guard dataSet.count > 0 else { throw .emptyDataSet }
    guard !settings.dropsLast || dataSet.count >= settings.batchSize else {
      throw .batchLargerThanData(batchSize: settings.batchSize, count: dataSet.count)
    }
    self.dataSet = dataSet
    self.pipeline = pipeline
    self.settings = settings
    precondition(
      share?.kind != .images || settings.dropsLast, "only whole batches are divided by images")
    if let share, share.kind == .images, settings.batchSize < 2 * share.count {
      throw .badSetting(
        name: "batchSize", value: settings.batchSize,
        expected: "at least 2 for each of \(share.count) processes")
    }
    self.shares = shares
    self.share = share
    precondition(
      shares.map { $0.expected.count == dataSet.count } ?? true, "there is a share for each sample")
    normalizer = Normalizer(pipeline)
  }

  /// All that is done to the images, what the data set has done already included.
  public var wholePipeline: ImagePipeline {
    var whole = pipeline
    whole.transforms = dataSet.preparation + whole.transforms
    return whole
  }

  /// The number of batches in an epoch, of which this loader makes all or a part.
  public var batchesPerEpoch: Int { share?.batches(of: allBatches) ?? allBatches }

  /// The same loader for one of several processes.
  package func sharing(_ share: LoaderShare) throws(LoaderError) -> DataLoader {
    try DataLoader(dataSet, pipeline: pipeline, settings: settings, shares: shares, share: share)
  }

  /// The number of batches in an epoch, whoever makes them.
  private var allBatches: Int {
    let full = dataSet.count / settings.batchSize
    return settings.dropsLast || dataSet.count % settings.batchSize == 0 ? full : full + 1
  }

  /// The number of images that an epoch gives, those of all processes together.
  public var samplesPerEpoch: Int {
    settings.dropsLast ? allBatches * settings.batchSize : dataSet.count
  }

  /// Starts on the batches of one epoch.
  /// - Parameters:
  ///   - epoch: The number of the epoch; it decides order and augmentation.
  ///   - batch: The first batch to give; a later one than 0 goes on in the middle of the epoch.
  public func epoch(_ epoch: Int, startingAt batch: Int = 0) throws(LoaderError) -> BatchStream {
    try epochs(epoch..<(epoch + 1), startingAt: batch)
  }

  /// Starts on the batches of several epochs; workers go on into the next epoch while the last
  /// batches of one are still in use. `0..<Int.max` never ends.
  public func epochs(
    _ epochs: Range<Int>, startingAt batch: Int = 0
  ) throws(LoaderError) -> BatchStream {
    guard epochs.lowerBound >= 0 else {
      throw .badSetting(name: "epoch", value: epochs.lowerBound, expected: "at least 0")
    }
    guard batch >= 0 && batch <= batchesPerEpoch else {
      throw .badStart(batch: batch, batchesPerEpoch: batchesPerEpoch)
    }
    return BatchStream(loader: self, epochs: epochs, startingAt: batch)
  }

  /// The order of the samples in an epoch; where they have shares, some come several times or not at
  /// all.
  public func order(ofEpoch epoch: Int) -> [Int] {
    draws(ofEpoch: epoch).map { $0 % dataSet.count }
  }

  /// The order of an epoch: a sample's first showing is its index, each further one is more by the
  /// number of samples.
  func draws(ofEpoch epoch: Int) -> [Int] {
    if let shares { return shares.draws(seed: settings.seed, epoch: epoch) }
    guard settings.shuffles else { return Array(0..<dataSet.count) }
    var random = RandomStream(seed: settings.seed, purpose: .shuffle, indices: UInt64(epoch))
    return random.permutation(dataSet.count)
  }

  /// Makes one batch on the calling thread.
  public func batch(epoch: Int, index: Int) throws -> Batch {
    let order = draws(ofEpoch: epoch)
    return try makeBatch(epoch: epoch, index: index, order: order) { false }
  }

  /// Makes one batch.
  /// - Parameter isCancelled: Asked before each sample; true ends with `CancellationError`.
  func makeBatch(
    epoch: Int, index: Int, order: [Int], isCancelled: () -> Bool
  ) throws -> Batch {
    let index = share?.batch(index) ?? index
    let first = index * settings.batchSize
    precondition(index >= 0 && first < order.count, "no such batch in the epoch")
    // Each showing of a sample is augmented in its own way.
    let whole = order[first..<min(order.count, first + settings.batchSize)]
    let draws = share.map { $0.places(in: whole.count).map { whole[first + $0] } } ?? Array(whole)
    let samples = draws.map { $0 % dataSet.count }
    var random = ImagePipeline.stream(seed: settings.seed, epoch: epoch, index: draws[0])
    var sample = try transformed(samples[0], random: &random)
    let size = sample.image.size
    let volume = size.width * size.height * pipeline.channels
    let total = volume * samples.count
    var targets: [Target] = []
    var originalSizes: [ImageSize] = []

    let values = try [Float](unsafeUninitializedCapacity: total) { buffer, used in
      guard let base = buffer.baseAddress else { return }
      for (place, number) in samples.enumerated() {
        if isCancelled() { throw CancellationError() }
        if place > 0 {
          random = ImagePipeline.stream(
            seed: settings.seed, epoch: epoch, index: draws[place])
          sample = try transformed(number, random: &random)
        }
        guard sample.image.size == size else {
          throw LoaderError.unequalSizes(
            name: dataSet.name(at: number), size: sample.image.size,
            otherName: dataSet.name(at: samples[0]), otherSize: size)
        }
        targets.append(sample.target)
        originalSizes.append(sample.originalSize)
        let target = base + place * volume
        normalizer.write(sample.image, to: target, layout: settings.layout)
        normalizer.erase(target, size: size, layout: settings.layout, random: &random)
      }
      used = total
    }
    return Batch(
      pixels: PixelBatch(
        count: samples.count, channels: pipeline.channels, height: size.height, width: size.width,
        layout: settings.layout, values: values),
      targets: targets, originalSizes: originalSizes,
      place: Batch.Place(epoch: epoch, index: index, samples: samples))
  }

  private func transformed(
    _ index: Int, random: inout RandomStream
  ) throws -> (image: Image, target: Target, originalSize: ImageSize) {
    var sample = try dataSet.sample(at: index)
    let originalSize = sample.originalSize
    do throws(ImageError) {
      try pipeline.transform(&sample, random: &random)
    } catch {
      throw LoaderError.transform(name: dataSet.name(at: index), error: error)
    }
    return (sample.image, sample.target, originalSize)
  }
}
