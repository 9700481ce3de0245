// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXEvaluation
import MUXImages
import MUXTestSupport
import MUXTraining
import MUXVision
import Testing

@Suite("Previews of training images")
struct PreviewTests {
  private func digits() -> TrainingConfiguration {
    var settings = TrainingConfiguration()
    settings.data.source = .digits
    settings.data.validationFraction = 0.1
    settings.batchSize = 16
    settings.model.name = "muxnet_xs"
    settings.model.inputSize = 16
    settings.model.outputStride = 4
    settings.augmentation.crop = .none
    settings.augmentation.flip = 0
    return settings
  }

  @Test(
    "without augmentation the images are those of the epoch's order, resized, with their classes")
  func plain() throws {
    let settings = digits()
    let preview = try TrainingPreview(settings, count: 20)
    #expect(preview.cells.count == 20 && preview.inputSize == 16)
    let data = try settings.data.open(.training)
    let loader = try DataLoader(
      data, pipeline: ImagePipeline(channels: 1, mean: [0], standardDeviation: [1]),
      settings: LoaderSettings(batchSize: 16, shuffles: true, seed: 0))
    for (cell, index) in zip(preview.cells, loader.order(ofEpoch: 0)) {
      #expect(cell.image == (try data.image(at: index).resized(width: 16, height: 16).rgb))
      #expect(cell.caption == data.classNames[data.target(at: index).classes[0]])
    }
  }

  @Test("each epoch augments them differently, the same epoch in the same way")
  func epochs() throws {
    var settings = digits()
    settings.augmentation.crop = .padded
    settings.augmentation.erasing = 1
    let first = try TrainingPreview(settings, count: 4).cells
    #expect(try TrainingPreview(settings, count: 4).cells == first)
    #expect(try TrainingPreview(settings, count: 4, epoch: 1).cells != first)
    // What is kept in memory is the same.
    settings.data.cache = true
    #expect(try TrainingPreview(settings, count: 4).cells == first)
  }

  @Test("mixed images say the shares of their classes, which add up to all")
  func mixed() throws {
    var settings = digits()
    settings.mixing.cutmix = 1
    let captions = try TrainingPreview(settings, count: 16).cells.map(\.caption)
    let shares = captions.map { caption in
      caption.matches(of: /(\d+)%/).compactMap { Int($0.1) }
    }
    #expect(shares.contains { $0.count == 2 }, "\(captions)")
    #expect(shares.allSatisfy { !$0.isEmpty && abs($0.reduce(0, +) - 100) <= 1 }, "\(captions)")
  }

  @Test("more images than an epoch has give all of it; what a run refuses is refused")
  func edges() throws {
    var settings = digits()
    settings.batchSize = 1000
    #expect(try TrainingPreview(settings, count: 5000).cells.count == 1000)
    settings.augmentation.flip = 2
    #expect(throws: ConfigurationError.self) { try TrainingPreview(settings, count: 1) }
  }
}
