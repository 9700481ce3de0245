// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXTestSupport
import MUXVision
import Testing

@Suite("Batches that several processes make") struct LoaderShareTests {
  private struct Numbers: ImageDataSet {
    let count: Int
    var classNames: [String] { ["a", "b"] }
    func target(at index: Int) -> Target { .label(index % 2) }
    func name(at index: Int) -> String { "\(index)" }
    func image(at index: Int) throws -> Image {
      Image(width: 4, height: 4, channels: 1, pixels: (0..<16).map { UInt8($0 * 5 + index) })
    }
  }

  private func loader(
    _ count: Int, batch: Int, drops: Bool = true, share: LoaderShare? = nil
  ) throws -> DataLoader {
    try DataLoader(
      Numbers(count: count),
      pipeline: ImagePipeline(
        transforms: [.randomCrop(RandomCrop(size: ImageSize(4), padding: 2))], channels: 1,
        mean: [0], standardDeviation: [1]),
      settings: LoaderSettings(
        batchSize: batch, shuffles: true, seed: 3, dropsLast: drops, workers: 0),
      share: share)
  }

  @Test(
    "Together they make each image of each batch once; images that are mixed stay together",
    arguments: [(8, 2), (9, 2), (12, 3), (13, 4)])
  func images(batch: Int, ranks: Int) throws {
    let whole = try loader(40, batch: batch)
    let parts = try (0..<ranks).map {
      try loader(40, batch: batch, share: LoaderShare(.images, rank: $0, of: ranks))
    }
    for index in 0..<whole.batchesPerEpoch {
      let all = try whole.batch(epoch: 1, index: index)
      let own = try parts.map { try $0.batch(epoch: 1, index: index) }
      #expect(own.flatMap(\.place.samples).sorted() == all.place.samples.sorted())
      for part in own {
        #expect(part.place.index == index && !part.place.samples.isEmpty)
        for (place, sample) in part.place.samples.enumerated() {
          let partner = part.place.samples[part.count - 1 - place]
          let row = try #require(all.place.samples.firstIndex(of: sample))
          #expect(all.place.samples[batch - 1 - row] == partner)
          let volume = all.pixels.values.count / all.count
          #expect(
            part.pixels.values[place * volume..<(place + 1) * volume]
              == all.pixels.values[row * volume..<(row + 1) * volume])
        }
      }
    }
  }

  @Test("Batches in turn, the last one short", arguments: [1, 2, 3, 5])
  func batches(ranks: Int) throws {
    let whole = try loader(22, batch: 5, drops: false)
    var seen: [Int: [Int]] = [:]
    for rank in 0..<ranks {
      let part = try loader(
        22, batch: 5, drops: false, share: .init(.batches, rank: rank, of: ranks))
      let stream = try part.epoch(0)
      var count = 0
      while let batch = try stream.next() {
        seen[batch.place.index] = batch.place.samples
        count += 1
      }
      #expect(count == part.batchesPerEpoch)
      #expect(part.samplesPerEpoch == 22)
    }
    #expect(seen.count == whole.batchesPerEpoch)
    for (index, samples) in seen {
      #expect(try whole.batch(epoch: 0, index: index).place.samples == samples)
    }
  }

  @Test("A batch has at least two images for each process")
  func smallest() throws {
    #expect(
      throws: LoaderError.badSetting(
        name: "batchSize", value: 5, expected: "at least 2 for each of 3 processes")
    ) { try loader(40, batch: 5, share: LoaderShare(.images, rank: 0, of: 3)) }
  }
}

@Suite("PyTorch's order for several processes") struct DistributedOrderTests {
  struct File: Decodable {
    struct Case: Decodable {
      var name: String
      var samples: Int
      var ranks: Int
      var seed: UInt64
      var epoch: Int
      var shuffle: Bool
      var dropLast: Bool
      var perRank: Int
      var order: [Int]?
      var indices: [[Int]]?
      // Of long ones.
      var firstOfTheOrder: [Int]?
      var firstOfEachRank: [[Int]]?
      var lastOfEachRank: [[Int]]?
    }
    var cases: [Case]
  }

  @Test(
    "As DistributedSampler gives them", .enabled(if: Reference.isPresent, "\(Shared.absent)"))
  func golden() throws {
    let data = try Data(
      contentsOf: URL(filePath: Reference.path("tasks/distributed_sampler.json")))
    let file = try JSONDecoder().decode(File.self, from: data)
    #expect(file.cases.count > 2)
    for entry in file.cases {
      let order = DistributedOrder(
        count: entry.samples, ranks: entry.ranks, seed: entry.seed, shuffles: entry.shuffle,
        dropsLast: entry.dropLast)
      #expect(order.samplesPerRank == entry.perRank, "\(entry.name)")
      let all = order.order(ofEpoch: entry.epoch)
      let start = try #require(entry.order ?? entry.firstOfTheOrder)
      #expect(all.starts(with: start) && all.count == entry.samples, "\(entry.name)")
      for rank in 0..<entry.ranks {
        let own = order.samples(of: rank, epoch: entry.epoch)
        let first = try #require(entry.indices ?? entry.firstOfEachRank)[rank]
        #expect(own.starts(with: first) && own.count == entry.perRank, "\(entry.name)")
        if let last = entry.lastOfEachRank {
          #expect(own.suffix(last[rank].count) == last[rank][...])
        }
      }
    }
  }
}
