// SPDX-License-Identifier: Apache-2.0

import Foundation
import MUXImages
import MUXVision
import Testing

@Suite struct MixingTests {
  /// Image n has the value n everywhere.
  private func batch(_ layout: MemoryLayout4D = .channelsFirst, index: Int = 0) -> Batch {
    let volume = 3 * 6 * 4
    return Batch(
      pixels: PixelBatch(
        count: 5, channels: 3, height: 6, width: 4, layout: layout,
        values: (0..<5).flatMap { [Float](repeating: Float($0), count: volume) }),
      targets: [0, 1, 2, 0, 1].map { .label($0) },
      place: Batch.Place(epoch: 1, index: index, samples: [0, 1, 2, 3, 4]))
  }

  @Test("mixup weighs each image with its partner, and the targets alike")
  func mixup() {
    var batch = batch()
    BatchMixing.apply(.mixup(lambda: 0.75), to: &batch.pixels)
    #expect([0, 1, 2, 3, 4].map { batch.pixels.values[$0 * 72] } == [1, 1.5, 2, 2.5, 3])
    let targets = BatchMixing().targets(
      of: batch.targets.map(\.classes), lambda: 0.75, classCount: 3)
    #expect(
      targets == [
        0.75, 0.25, 0, 0.25, 0.75, 0, 0, 0, 1, 0.75, 0.25, 0, 0.25, 0.75, 0,
      ])
  }

  @Test("cutmix exchanges the rectangle, in both layouts", arguments: MemoryLayout4D.allCases)
  func cutmix(layout: MemoryLayout4D) {
    var batch = batch(layout)
    let part = PixelRectangle(x: 1, y: 2, width: 2, height: 3)
    BatchMixing.apply(.cutmix(part, lambda: 0.75), to: &batch.pixels)
    for n in 0..<5 {
      for c in 0..<3 {
        for y in 0..<6 {
          for x in 0..<4 {
            let inside = (1..<3).contains(x) && (2..<5).contains(y)
            let offset =
              layout == .channelsLast ? (y * 4 + x) * 3 + c : (c * 6 + y) * 4 + x
            #expect(batch.pixels.values[n * 72 + offset] == Float(inside ? 4 - n : n))
          }
        }
      }
    }
  }

  @Test("draws follow from seed, epoch and batch, mix both kinds, and lambda is the kept share")
  func draws() {
    let mixing = BatchMixing(mixupAlpha: 0.2, cutmixAlpha: 1, probability: 0.8)
    var kinds = [0, 0, 0]
    for index in 0..<1_000 {
      let mix = mixing.draw(seed: 4, epoch: 2, batch: index, width: 32, height: 16)
      #expect(mix == mixing.draw(seed: 4, epoch: 2, batch: index, width: 32, height: 16))
      switch mix {
      case .none: kinds[0] += 1
      case .mixup(let lambda):
        kinds[1] += 1
        #expect(lambda >= 0 && lambda <= 1)
      case .cutmix(let part, let lambda):
        kinds[2] += 1
        #expect(part.x >= 0 && part.x + part.width <= 32 && part.y + part.height <= 16)
        #expect(abs(lambda - 1 + Double(part.width * part.height) / 512) < 1e-12)
      }
    }
    #expect((150...250).contains(kinds[0]))
    #expect((330...470).contains(kinds[1]) && (330...470).contains(kinds[2]))
    #expect(
      BatchMixing().draw(seed: 4, epoch: 2, batch: 1, width: 32, height: 16)
        == BatchMixing.Mix.none)
  }

  @Test("the targets' rows sum to 1 with label smoothing")
  func smoothing() {
    var batch = batch()
    let mixing = BatchMixing(mixupAlpha: 1, labelSmoothing: 0.1)
    let targets = mixing.apply(to: &batch, classCount: 4, seed: 9)
    for row in 0..<5 {
      #expect(abs(targets[(row * 4)..<(row * 4 + 4)].reduce(0, +) - 1) < 1e-6)
      #expect(targets[row * 4 + 3] == 0.025)
    }
  }
}

@Suite struct LoaderBenchmarkTests {
  @Test("a benchmark counts whole batches over epochs")
  func counts() throws {
    let loader = try DataLoader(
      MemoryDataSet(count: 10),
      pipeline: ImagePipeline(mean: [0, 0, 0], standardDeviation: [1, 1, 1]),
      settings: LoaderSettings(batchSize: 4, dropsLast: true, workers: 1))
    let benchmark = try LoaderBenchmark(loader, atLeastSeconds: 0.02)
    #expect(benchmark.batches > 0 && benchmark.images == 4 * benchmark.batches)
    #expect(benchmark.imagesPerSecond == Double(benchmark.images) / benchmark.seconds)
  }
}
