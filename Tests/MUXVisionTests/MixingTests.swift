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
      epoch: 1, index: index, channels: 3, height: 6, width: 4, layout: layout,
      values: (0..<5).flatMap { [Float](repeating: Float($0), count: volume) },
      labels: [0, 1, 2, 0, 1], sampleIndices: [0, 1, 2, 3, 4])
  }

  @Test("mixup weighs each image with its partner, and the targets alike")
  func mixup() {
    var batch = batch()
    BatchMixing.apply(.mixup(lambda: 0.75), to: &batch)
    #expect([0, 1, 2, 3, 4].map { batch.values[$0 * 72] } == [1, 1.5, 2, 2.5, 3])
    let targets = BatchMixing().targets(of: batch.labels, lambda: 0.75, classCount: 3)
    #expect(
      targets == [
        0.75, 0.25, 0, 0.25, 0.75, 0, 0, 0, 1, 0.75, 0.25, 0, 0.25, 0.75, 0,
      ])
  }

  @Test("cutmix exchanges the rectangle, in both layouts", arguments: MemoryLayout4D.allCases)
  func cutmix(layout: MemoryLayout4D) {
    var batch = batch(layout)
    let part = PixelRectangle(x: 1, y: 2, width: 2, height: 3)
    BatchMixing.apply(.cutmix(part, lambda: 0.75), to: &batch)
    for n in 0..<5 {
      for c in 0..<3 {
        for y in 0..<6 {
          for x in 0..<4 {
            let inside = (1..<3).contains(x) && (2..<5).contains(y)
            let offset =
              layout == .channelsLast ? (y * 4 + x) * 3 + c : (c * 6 + y) * 4 + x
            #expect(batch.values[n * 72 + offset] == Float(inside ? 4 - n : n))
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

@Suite struct MetricsTests {
  @Test("top-k, per-class accuracy and the confusion matrix of a hand-made case")
  func metrics() {
    var metrics = ClassificationMetrics(classCount: 3, topK: [1, 2, 5])
    #expect(metrics.topK == [1, 2])
    metrics.add(
      scores: [
        3, 2, 1,  // 0 taken for 0
        2, 3, 1,  // 0 taken for 1, second best
        1, 2, 3,  // 0 taken for 2, third
        0, 9, 1,  // 1 taken for 1
      ], labels: [0, 0, 0, 1])
    metrics.add(scores: [1, 1, 1], labels: [1])  // ties go to the lower index: 0
    #expect(metrics.count == 5)
    #expect(metrics.accuracy() == 0.4)
    #expect(metrics.accuracy(top: 2) == 0.8)
    #expect(metrics.accuracy(top: 5) == nil)
    let confusion = metrics.confusion
    #expect(confusion.counts == [1, 1, 1, 1, 1, 0, 0, 0, 0])
    #expect(confusion.accuracy == 0.4)
    #expect(confusion.classAccuracies == [1.0 / 3, 0.5, nil])
    #expect(confusion.classPrecisions == [0.5, 0.5, 0])
    #expect(abs(confusion.balancedAccuracy - 5.0 / 12) < 1e-12)
  }

  @Test("scores that are not numbers never count as right")
  func notNumbers() {
    var metrics = ClassificationMetrics(classCount: 3, topK: [1])
    metrics.add(scores: [1, .nan, 0], labels: [1])
    metrics.add(scores: [.nan, -.infinity, .nan], labels: [1])
    #expect(metrics.correct == [1])
    #expect(metrics.confusion[1, 0] == 1 && metrics.confusion[1, 1] == 1)
    let best = ClassificationMetrics.best(2, of: [.nan, 1, 5, 5])
    #expect(best.map(\.index) == [2, 3])
  }
}

@Suite struct LoaderBenchmarkTests {
  @Test("a benchmark counts whole batches over epochs")
  func counts() throws {
    let loader = try DataLoader(
      MemoryDataSet(count: 10), pipeline: .cifarEvaluation(),
      settings: LoaderSettings(batchSize: 4, dropsLast: true, workers: 1))
    let benchmark = try LoaderBenchmark(loader, atLeastSeconds: 0.02)
    #expect(benchmark.batches > 0 && benchmark.images == 4 * benchmark.batches)
    #expect(benchmark.imagesPerSecond == Double(benchmark.images) / benchmark.seconds)
  }
}
