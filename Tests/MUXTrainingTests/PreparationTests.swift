// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXEvaluation
import MUXImages
import MUXNetworkFiles
import MUXNetworks
import MUXRuntime
import MUXTasks
import MUXTestSupport
import MUXTraining
import MUXWeights
import Testing

/// An app that is built on the runtime says what `muxnet predict` says, for every recipe.
@Suite struct PreparationTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "recipes").path

  private static func load(_ name: String) throws -> TrainingConfiguration {
    var tree = try RecipeLibrary.load(name, folders: [folder])
    if !name.hasPrefix("digits") { try tree.set("data.path", to: "x", source: .option("data")) }
    return try tree.decode(TrainingConfiguration.self)
  }

  /// A network that is quick, for the images of the recipe.
  private static func network(size: Int, channels: Int) throws -> Network {
    var builder = NetworkBuilder(
      name: "quick", inputChannels: channels, inputSize: ImageSize(size))
    var x = builder.convolution(
      builder.input, "stem", outputChannels: 6, kernelSize: 3, stride: max(1, size / 16),
      hasBias: true)
    x = builder.activation(x, "act", .relu)
    _ = builder.classify(x, classes: 4)
    return try builder.build()
  }

  private static func image(_ width: Int, _ height: Int, _ channels: Int) -> Image {
    let pixels = (0..<width * height * channels).map { (place: Int) -> UInt8 in
      let wave = place * 37 + place / 50 * 11
      return UInt8(wave % 256)
    }
    return Image(width: width, height: height, channels: channels, pixels: pixels)
  }

  @Test(
    "predict and classify give equal numbers",
    arguments: RecipeLibrary.names(in: [PreparationTests.folder]))
  func equal(recipe: String) throws {
    let configuration = try Self.load(recipe)
    let size =
      try configuration.model.inputSize
      ?? NetworkFile.resolve(configuration.model.name).inputSize.height
    let channels = configuration.data.source == .digits ? 1 : 3
    let network = try Self.network(size: size, channels: channels)
    let pipeline = configuration.augmentation.evaluationPipeline(
      size: size, normalization: try configuration.data.normalization(channels: channels))
    var archive = RandomWeights.archive(network, seed: 9)
    archive.metadata = try WeightsMetadata(
      network: network, classNames: ["a", "b", "c", "d"], pipeline: pipeline, isAveraged: false,
      epoch: 1, step: 2, scores: nil
    ).dictionary()
    let folder = try TemporaryFolder()
    try Safetensors.write(archive, to: folder("run.safetensors"))
    let weights = try TrainedWeights(path: folder("run.safetensors"))
    #expect(weights.pipeline == pipeline)
    try weights.writePacked(to: folder("run.muxnet"))
    let packed = try TrainedWeights(path: folder("run.muxnet"))
    #expect(packed.pipeline == pipeline && packed.metadata?.step == 2)
    let images = [
      Self.image(40, 30, 3), Self.image(size, size, 3), Self.image(9, 61, 1),
    ]
    let predicted = try Predictor(packed, model: packed.runtimeModel(threads: 2))
      .predict(images)
    for file in ["run.muxnet", "run.safetensors"] {
      let plan = try InferencePlan(model: folder(file))
      #expect(plan.pipeline == pipeline)
      let guesses = try InferenceEngine(plan).classify(images)
      for (guesses, output) in zip(guesses, predicted) {
        let prediction = try #require(output as? Prediction)
        #expect(guesses.map(\.label) == prediction.guesses.map(\.label))
        #expect(guesses.map(\.probability) == prediction.guesses.map(\.probability))
      }
    }
  }
}
