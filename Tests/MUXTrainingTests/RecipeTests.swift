// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXEvaluation
import MUXImages
import MUXNetworkFiles
import MUXNetworks
import MUXTraining
import Testing

@Suite struct RecipeTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "recipes").path

  private static let names = RecipeLibrary.names(in: [folder])

  private func load(_ name: String) throws -> TrainingConfiguration {
    var tree = try RecipeLibrary.load(name, folders: [Self.folder])
    if name != "digits" { try tree.set("data.path", to: "images", source: .option("--data")) }
    return try tree.decode(TrainingConfiguration.self)
  }

  @Test("the recipes that the documents name are there")
  func complete() {
    #expect(
      Set(Self.names).isSuperset(
        of: ["imagenet_muxnet", "cifar_transfer", "cifar10_scratch", "digits"]))
  }

  @Test("every recipe has only known settings that make sense", arguments: names)
  func valid(name: String) throws {
    try load(name).validate()
  }

  @Test("the ImageNet recipe is the paper's")
  func imageNet() throws {
    let recipe = try load("imagenet_muxnet")
    #expect(recipe.batchSize == 256 && recipe.baseRate.rate == 0.016)
    #expect(recipe.optimizer.kind == .rmspropTensorFlow)
    #expect(recipe.optimizer.squareDecay == 0.9 && recipe.optimizer.momentum == 0.9)
    #expect(recipe.optimizer.resolvedEpsilon == 0.001 && recipe.optimizer.weightDecay == 1e-5)
    #expect(!recipe.optimizer.decaysNormAndBias)
    #expect(recipe.average.isEnabled && recipe.average.decay == 0.9998 && !recipe.average.ramps)
    #expect(recipe.model.dropout == 0.2)
    let clock = ScheduleClock(stepsPerEpoch: 5004, epochs: recipe.epochs)
    let points: [(step: Int, rate: Double)] = [
      (0, 0), (5004, 0.0032), (25_020, 0.01552), (30_024, 0.0150544),
    ]
    for (step, expected) in points {
      let rate = recipe.schedule.rate(step: step, base: recipe.baseRate.rate, clock: clock)
      #expect(abs(rate - expected) < 1e-12, "step \(step)")
    }
    let pipeline = recipe.augmentation.trainingPipeline(
      size: 224, nativeSize: nil,
      normalization: Normalization(mean: [0, 0, 0], standardDeviation: [1, 1, 1]))
    #expect(
      pipeline.transforms == [
        .randomResizedCrop(RandomResizedCrop(size: 224, interpolation: .bilinear)),
        .horizontalFlip(probability: 0.5),
      ])
    let evaluation = recipe.augmentation.evaluationPipeline(
      size: 224, normalization: Normalization(mean: [0], standardDeviation: [1]))
    #expect(
      evaluation.transforms == [
        .resize(Resize(shorterSide: 256, interpolation: .bilinear)), .centerCrop(224),
      ])
  }

  @Test("the CIFAR transfer recipe is the paper's")
  func transfer() throws {
    let recipe = try load("cifar_transfer")
    #expect(recipe.epochs == 150 && recipe.batchSize == 96)
    #expect(recipe.optimizer.kind == .sgd && recipe.optimizer.momentum == 0.9)
    #expect(!recipe.optimizer.nesterov && recipe.optimizer.weightDecay == 4e-5)
    #expect(recipe.optimizer.clipNorm == 5 && recipe.optimizer.learningRate == 0.01)
    #expect(recipe.schedule == LearningRateSchedule(shape: .cosine, interval: .epoch))
    #expect(recipe.model.replacesHead && recipe.model.dropout == 0.2)
    let pipeline = recipe.augmentation.trainingPipeline(
      size: 224, nativeSize: 32,
      normalization: Normalization(mean: [0, 0, 0], standardDeviation: [1, 1, 1]))
    #expect(
      pipeline.transforms == [
        .randomCrop(RandomCrop(size: 32, padding: 4)), .horizontalFlip(probability: 0.5),
        .resize(Resize(size: 224, interpolation: .bicubic)),
      ])
  }

  @Test("the digits' network multiplexes space, and its images fit")
  func digits() throws {
    let recipe = try load("digits")
    let network = try NetworkFile.resolve(recipe.model.name)
    #expect(
      network.nodes.contains {
        if case .branchedConvolution(let value) = $0.operation {
          value.isMultiplexed
        } else {
          false
        }
      })
    let training = try recipe.data.open(.training)
    let validation = try recipe.data.open(.validation)
    let test = try recipe.data.open(.test)
    #expect(training.count + validation.count + test.count == 1797)
    #expect(abs(test.count - 359) <= 3 && abs(validation.count - 180) <= 5)
  }
}
