// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXImages
import MUXVision
import Testing

@Suite struct BalancedSamplingTests {
  private struct Data: ImageDataSet {
    var targets: [Target]
    var count: Int { targets.count }
    var classNames: [String] { ["common", "rare", "rarest"] }
    func target(at index: Int) -> Target { targets[index] }
    func name(at index: Int) -> String { "\(index)" }
    func image(at index: Int) throws -> Image {
      Image(
        width: 4, height: 4, channels: 1, pixels: (0..<16).map { UInt8(($0 * 16 + index) % 256) })
    }
  }

  /// 80, 15 and 5 images.
  private let data = Data(
    targets: (0..<100).map { .label($0 < 80 ? 0 : $0 < 95 ? 1 : 2) })

  private func loader(strength: Double, seed: UInt64 = 3) throws -> DataLoader {
    try DataLoader(
      data,
      pipeline: ImagePipeline(
        transforms: [.randomCrop(RandomCrop(size: ImageSize(4), padding: 2))], channels: 1,
        mean: [0], standardDeviation: [1]),
      settings: LoaderSettings(
        batchSize: 10, shuffles: true, seed: seed, dropsLast: true, workers: 0),
      shares: SampleShares(balancing: data, strength: strength))
  }

  @Test("the strength says how far classes are balanced", arguments: [0, 0.5, 1])
  func shares(strength: Double) throws {
    let loader = try loader(strength: strength)
    let sizes = [80.0, 15, 5].map { pow($0, 1 - strength) }
    var counts = [0, 0, 0]
    for epoch in 0..<50 {
      let order = loader.order(ofEpoch: epoch)
      #expect(order.count == 100 && order.allSatisfy { $0 < 100 })
      for index in order { counts[data.target(at: index).classes[0]] += 1 }
      // No image comes twice more than another of its class.
      let shown = Dictionary(grouping: order) { $0 }.mapValues(\.count)
      for members in [0..<80, 80..<95, 95..<100] {
        let own = members.map { shown[$0] ?? 0 }
        #expect((own.max() ?? 0) - (own.min() ?? 0) <= 1)
      }
    }
    for (count, size) in zip(counts, sizes) {
      let expected = 5000 * size / sizes.reduce(0, +)
      #expect(abs(Double(count) - expected) <= 0.02 * 5000, "\(counts)")
    }
  }

  @Test(
    "an epoch follows from seed and number; showings of one image differ, batches can begin anywhere"
  )
  func repeatable() throws {
    let loader = try loader(strength: 1)
    #expect(loader.order(ofEpoch: 2) == (try self.loader(strength: 1)).order(ofEpoch: 2))
    #expect(loader.order(ofEpoch: 2) != loader.order(ofEpoch: 3))
    #expect(loader.order(ofEpoch: 2) != (try self.loader(strength: 1, seed: 4)).order(ofEpoch: 2))
    var showings: [Int: [[Float]]] = [:]
    let whole = try loader.epoch(2)
    var batches: [Batch] = []
    while let batch = try whole.next() {
      batches.append(batch)
      for (place, sample) in batch.place.samples.enumerated() {
        #expect(batch.targets[place] == data.target(at: sample))
        showings[sample, default: []].append(
          Array(batch.pixels.values[place * 16..<place * 16 + 16]))
      }
    }
    let repeated = showings.values.filter { $0.count >= 5 }
    #expect(!repeated.isEmpty)
    for views in repeated { #expect(Set(views).count > 1) }
    let rest = try loader.epoch(2, startingAt: 7)
    #expect(try rest.next() == batches[7])
  }

  @Test("an image of several labels goes by its rarest, one of none by the others of none")
  func labels() {
    let several = Data(
      targets: (0..<60).map { .labels($0 < 40 ? [0] : $0 < 50 ? [0, 1] : []) })
    let expected = SampleShares(balancing: several, strength: 1).expected
    #expect(abs(expected.reduce(0, +) - 60) < 1e-9)
    // Class 0 has 50 images, class 1 and none 10 each.
    #expect(abs(expected[40] / expected[0] - 5) < 1e-9 && expected[40] == expected[55])
  }
}
