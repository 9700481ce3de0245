// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
import MUXImages
import MUXNetworks
import MUXTasks
import Testing

@Suite("Several views of an image") struct TestAugmentationTests {
  /// Its first output is the sum of the left half of an image, the second that of the right half.
  private struct Halves: VisionModel {
    let network: Network
    var layout: MemoryLayout4D { .channelsFirst }
    func outputs(_ batch: PixelBatch) -> [OutputTensor] {
      let values = (0..<batch.count).flatMap { image -> [Float] in
        var sums: [Float] = [0, 0]
        for channel in 0..<batch.channels {
          for y in 0..<batch.height {
            for x in 0..<batch.width {
              let place =
                batch.layout == .channelsLast
                ? ((image * batch.height + y) * batch.width + x) * batch.channels + channel
                : ((image * batch.channels + channel) * batch.height + y) * batch.width + x
              sums[2 * x < batch.width ? 0 : 1] += batch.values[place]
            }
          }
        }
        return sums
      }
      return [OutputTensor(name: "classifier", shape: [batch.count, 2], values: values)]
    }
  }

  private func model() throws -> Halves {
    var builder = NetworkBuilder(name: "halves", inputChannels: 1, inputSize: ImageSize(4))
    _ = builder.classify(builder.input, classes: 2)
    return Halves(network: try builder.build())
  }

  private let pipeline = ImagePipeline(
    transforms: [.resize(Resize(shorterSide: 6)), .centerCrop(ImageSize(4))], channels: 1,
    mean: [0],
    standardDeviation: [1])

  /// Two images of 6×6.
  private func batch(_ layout: MemoryLayout4D) -> PixelBatch {
    PixelBatch(
      count: 2, channels: 1, height: 6, width: 6, layout: layout,
      values: (0..<72).map { Float(($0 * 7) % 11) / 11 - 0.4 })
  }

  @Test(
    "the mean over an image and its mirror image is that of the probabilities",
    arguments: [true, false])
  func flips(several: Bool) throws {
    let base = try model()
    let head: any TaskHead =
      several
      ? MultiLabelHead(task: MultiLabel(), network: "halves", classNames: ["a", "b"])
      : ClassificationHead(network: "halves", classNames: ["a", "b"])
    let views = try AugmentedModel(base, .flip, head: head, pipeline: pipeline)
    #expect(views.pipeline == pipeline)
    let batch = batch(.channelsFirst)
    let (own, averaged) = (base.outputs(batch)[0].values, try views.outputs(batch)[0].values)
    func probabilities(_ row: [Float]) -> [Double] {
      several
        ? row.map { Sigmoid.probability(Double($0)) }
        : Softmax.probabilities(row).map { Double($0) }
    }
    for image in 0..<2 {
      let row = Array(own[2 * image..<2 * image + 2])
      let (first, second) = (probabilities(row), probabilities(row.reversed()))
      let found = probabilities(Array(averaged[2 * image..<2 * image + 2]))
      for index in 0..<2 { #expect(abs(found[index] - (first[index] + second[index]) / 2) < 1e-6) }
    }
  }

  @Test("ten crops are the corners and the middle of the larger image, and their mirror images")
  func tenCrops() throws {
    let head = ClassificationHead(network: "halves", classNames: ["a", "b"])
    let base = try model()
    let views = try AugmentedModel(base, .tenCrop, head: head, pipeline: pipeline)
    #expect(
      views.pipeline.transforms == [.resize(Resize(shorterSide: 6)), .centerCrop(ImageSize(6))])
    for layout in [MemoryLayout4D.channelsFirst, .channelsLast] {
      let batch = batch(layout)
      var sums = [0.0, 0.0, 0.0, 0.0]
      for (x, y) in [(0, 0), (2, 0), (0, 2), (2, 2), (1, 1)] {
        for isMirrored in [false, true] {
          for image in 0..<2 {
            var halves: [Float] = [0, 0]
            for row in 0..<4 {
              for column in 0..<4 {
                let value = batch.values[image * 36 + (y + row) * 6 + x + column]
                halves[(column < 2) == isMirrored ? 1 : 0] += value
              }
            }
            let shares = Softmax.probabilities(halves)
            sums[2 * image] += Double(shares[0]) / 10
            sums[2 * image + 1] += Double(shares[1]) / 10
          }
        }
      }
      let outputs = try views.outputs(batch)[0].values
      for image in 0..<2 {
        let shares = Softmax.probabilities(outputs[2 * image..<2 * image + 2])
        #expect(abs(Double(shares[0]) - sums[2 * image]) < 1e-5)
        #expect(abs(Double(shares[1]) - sums[2 * image + 1]) < 1e-5)
      }
    }
  }

  @Test("where a pipeline shows the whole image, that is enlarged; without room it is refused")
  func margins() throws {
    var whole = pipeline
    whole.transforms = [.resize(Resize(size: ImageSize(28)))]
    let (larger, view) = try TestAugmentation.tenCrop.preparation(whole)
    #expect(larger.transforms == [.resize(Resize(size: ImageSize(32)))] && view == ImageSize(28))
    for transforms: [ImageTransform] in [
      [], [.centerCrop(ImageSize(4))],
      [.resize(Resize(shorterSide: 4)), .centerCrop(ImageSize(4))],
      [.horizontalFlip()],
    ] {
      whole.transforms = transforms
      #expect(throws: EvaluationError.self) { try TestAugmentation.tenCrop.preparation(whole) }
      #expect(try TestAugmentation.flip.preparation(whole).view == nil)
    }
  }
}
