// SPDX-License-Identifier: Apache-2.0

import Foundation
import MUXImages
import MUXTestSupport
import MUXVision
import Synchronization
import Testing

@Suite(.tags(.waits), .endsSometime) struct DataLoaderTests {
  private func collect(_ stream: BatchStream) throws -> [Batch] {
    var batches: [Batch] = []
    while let batch = try stream.next() { batches.append(batch) }
    return batches
  }

  private let pipeline = ImagePipeline(
    transforms: [.randomCrop(RandomCrop(size: 8, padding: 2)), .horizontalFlip()],
    mean: [0.5, 0.5, 0.5], standardDeviation: [0.25, 0.25, 0.25],
    erasing: RandomErasing(fill: .pixel))

  @Test("batches are the same for 0, 1 and 3 workers", arguments: [1, 3])
  func workersDoNotMatter(workers: Int) throws {
    let data = MemoryDataSet(count: 23)
    func loader(_ workers: Int) throws -> DataLoader {
      try DataLoader(
        data, pipeline: pipeline,
        settings: LoaderSettings(batchSize: 4, shuffles: true, seed: 7, workers: workers))
    }
    let alone = try collect(try loader(0).epochs(0..<3))
    let threaded = try collect(try loader(workers).epochs(0..<3))
    #expect(alone.count == 18)
    #expect(alone == threaded)
    #expect(alone.map(\.place.epoch) == (0..<3).flatMap { [Int](repeating: $0, count: 6) })
    #expect(alone[5].count == 3)
    #expect(Set(alone[..<6].flatMap(\.place.samples)) == Set(0..<23))
    #expect(alone[0].place.samples != alone[6].place.samples)
    #expect(
      alone.allSatisfy { batch in
        zip(batch.targets, batch.place.samples).allSatisfy { $0 == .label($1 % 2) }
      })
  }

  @Test("a stream that starts in mid-epoch gives what the whole one gives from there")
  func resumes() throws {
    let loader = try DataLoader(
      MemoryDataSet(count: 20), pipeline: pipeline,
      settings: LoaderSettings(batchSize: 3, shuffles: true, seed: 3, dropsLast: true))
    #expect(loader.batchesPerEpoch == 6)
    #expect(loader.samplesPerEpoch == 18)
    let whole = try collect(try loader.epochs(1..<3))
    let rest = try collect(try loader.epochs(1..<3, startingAt: 4))
    #expect(rest == Array(whole[4...]))
    #expect(try loader.batch(epoch: 2, index: 1) == whole[7])
    #expect(try loader.epoch(1, startingAt: 6).next() == nil)
    #expect(throws: LoaderError.badStart(batch: 7, batchesPerEpoch: 6)) {
      try loader.epoch(1, startingAt: 7)
    }
  }

  @Test("seed, epoch and sample each change the augmentation; the batch place does not")
  func streams() throws {
    func values(seed: UInt64, epoch: Int, batchSize: Int) throws -> [Float] {
      let loader = try DataLoader(
        MemoryDataSet(count: 6), pipeline: pipeline,
        settings: LoaderSettings(batchSize: batchSize, seed: seed, workers: 0))
      return try collect(try loader.epoch(epoch)).flatMap(\.pixels.values)
    }
    let base = try values(seed: 1, epoch: 0, batchSize: 6)
    #expect(try values(seed: 1, epoch: 0, batchSize: 4) == base)
    #expect(try values(seed: 2, epoch: 0, batchSize: 6) != base)
    #expect(try values(seed: 1, epoch: 1, batchSize: 6) != base)
  }

  @Test("the two layouts hold the same values in another order")
  func layouts() throws {
    func batch(_ layout: MemoryLayout4D) throws -> PixelBatch {
      try DataLoader(
        MemoryDataSet(count: 2, width: 8, height: 8), pipeline: pipeline,
        settings: LoaderSettings(batchSize: 2, seed: 5, layout: layout)
      ).batch(epoch: 0, index: 0).pixels
    }
    let planes = try batch(.channelsFirst)
    let last = try batch(.channelsLast)
    #expect(planes.shape == [2, 3, 8, 8])
    #expect(last.shape == [2, 3, 8, 8])
    for n in 0..<2 {
      for c in 0..<3 {
        for p in 0..<64 {
          #expect(planes.values[(n * 3 + c) * 64 + p] == last.values[(n * 64 + p) * 3 + c])
        }
      }
    }
  }

  @Test("a batch larger than the data is one short batch, or an error if short ones are dropped")
  func largeBatch() throws {
    let data = MemoryDataSet(count: 3)
    let loader = try DataLoader(
      data, pipeline: pipeline, settings: LoaderSettings(batchSize: 100))
    let batches = try collect(try loader.epoch(0))
    #expect(batches.map(\.count) == [3])
    #expect(throws: LoaderError.batchLargerThanData(batchSize: 100, count: 3)) {
      try DataLoader(
        data, pipeline: pipeline, settings: LoaderSettings(batchSize: 100, dropsLast: true))
    }
    #expect(throws: LoaderError.emptyDataSet) {
      try DataLoader(
        DataSubset(data, indices: []), pipeline: pipeline, settings: LoaderSettings(batchSize: 1))
    }
    #expect(throws: LoaderError.self) {
      try DataLoader(data, pipeline: pipeline, settings: LoaderSettings(batchSize: 0))
    }
  }

  @Test("images of odd sizes are an error that names both files, unless the pipeline evens them")
  func oddSizes() throws {
    var data = MemoryDataSet(count: 3)
    data.images[2] = noise(width: 7, height: 13, channels: 1)
    let plain = ImagePipeline(mean: [0, 0, 0], standardDeviation: [1, 1, 1])
    let settings = LoaderSettings(batchSize: 3, workers: 1)
    let error = #expect(throws: LoaderError.self) {
      try DataLoader(data, pipeline: plain, settings: settings).epoch(0).next()
    }
    #expect(
      "\(try #require(error))".hasPrefix("memory image 2 comes out as 7×13, but memory image 0"))
    var even = plain
    even.transforms = [.resize(Resize(shorterSide: 8)), .centerCrop(8)]
    #expect(
      try DataLoader(data, pipeline: even, settings: settings).epoch(0).next()?.pixels.shape
        == [3, 3, 8, 8])
  }

  @Test("a crop that does not fit is an error that names the file")
  func smallImage() throws {
    var data = MemoryDataSet(count: 2)
    data.images[1] = noise(width: 3, height: 8)
    let stream = try DataLoader(
      data, pipeline: pipeline, settings: LoaderSettings(batchSize: 1)
    ).epoch(0)
    #expect(try stream.next()?.count == 1)
    let error = #expect(throws: LoaderError.self) { try stream.next() }
    #expect("\(try #require(error))".contains("memory image 1: an image of 3×8 is smaller"))
    #expect(try stream.next() == nil)
  }

  @Test("a broken file ends the epoch in its place, by name")
  func brokenFile() throws {
    let folder = try TemporaryFolder()
    let good = try noise(width: 8, height: 8).pngData()
    for index in 0..<6 { try folder.write("a/\(index).png", good) }
    try folder.write("b/0.png", good)
    try folder.write("b/1.png", Array(good.prefix(good.count / 2)))
    let loader = try DataLoader(
      try ImageFolder(path: folder.path), pipeline: pipeline,
      settings: LoaderSettings(batchSize: 2, workers: 2))
    let stream = try loader.epoch(0)
    for _ in 0..<3 { #expect(try stream.next()?.count == 2) }
    let error = #expect(throws: ImageError.self) { try stream.next() }
    #expect("\(try #require(error))".hasPrefix("\(folder.path)/b/1.png: damaged PNG file"))
    #expect(try stream.next() == nil)
  }

  @Test("workers make no more than `prefetch` batches ahead, and stop when the stream is dropped")
  func backPressureAndRelease() throws {
    final class Counter: Sendable {
      let made = Mutex(0)
    }
    struct Counting: ImageDataSet {
      let counter: Counter
      var count: Int { 1_000 }
      var classNames: [String] { ["a", "b"] }
      func target(at index: Int) -> Target { .label(0) }
      func name(at index: Int) -> String { "\(index)" }
      func image(at index: Int) throws -> Image {
        counter.made.withLock { $0 += 1 }
        return Image(width: 8, height: 8, color: [1, 2, 3])
      }
    }
    weak var released: Counter?
    do {
      let counter = Counter()
      released = counter
      let loader = try DataLoader(
        Counting(counter: counter), pipeline: pipeline,
        settings: LoaderSettings(batchSize: 1, workers: 3, prefetch: 4))
      let stream = try loader.epochs(0..<Int.max)
      for _ in 0..<10 { _ = try stream.next() }
      // Wait until the workers have made what they may.
      while counter.made.withLock({ $0 }) < 14 { Thread.sleep(forTimeInterval: 0.001) }
      Thread.sleep(forTimeInterval: 0.05)
      #expect(counter.made.withLock { $0 } == 14)
      _ = stream
    }
    // The workers hold the data set until they end; a leak would keep it for ever.
    var tries = 0
    while released != nil && tries < 5_000 {
      Thread.sleep(forTimeInterval: 0.001)
      tries += 1
    }
    #expect(released == nil)
  }

  @Test("a cancelled stream gives nothing more")
  func cancel() throws {
    let loader = try DataLoader(
      MemoryDataSet(count: 20), pipeline: pipeline, settings: LoaderSettings(batchSize: 2))
    let stream = try loader.epoch(0)
    #expect(try stream.next() != nil)
    stream.cancel()
    #expect(try stream.next() == nil)
  }
}
