// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXImages
import MUXNetworks
import MUXTestSupport
import MUXTraining
import MUXVision
import MUXWeights
import Testing

/// The shipped recipes at work, each for two steps on a handful of images: everything as it is in
/// the recipe, but for the number of epochs and the batch.
@Suite struct RecipeRunTests {
  private static let recipes = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "recipes").path

  private func makeImages(_ folder: TemporaryFolder, side: Int) throws {
    for part in ["train", "val"] {
      for (label, name) in ["dark", "light"].enumerated() {
        try folder.makeFolder("data/\(part)/\(name)")
        for index in 0..<2 {
          let shade = UInt8(60 + 120 * label + 7 * index)
          try Image(width: side + index, height: side, color: [shade, 90, 255 - shade])
            .writePNG(to: folder("data/\(part)/\(name)/\(index).png"))
        }
      }
    }
  }

  private func run(
    _ recipe: String, in folder: TemporaryFolder, _ settings: [String: String]
  ) throws -> (log: EventLog, trainer: Trainer) {
    var tree = try RecipeLibrary.load(recipe, folders: [Self.recipes])
    var settings = settings
    settings["data.path"] = folder("data")
    settings["batchSize"] = "2"
    settings["epochs"] = "1"
    for (key, value) in settings { try tree.set(key, to: value, source: .option("--set")) }
    var configuration = try tree.decode(TrainingConfiguration.self)
    configuration.output.folder = folder("runs")
    let log = EventLog()
    let trainer = try Trainer(configuration, observers: [log])
    trainer.stop = StopSignal()
    try trainer.run()
    return (log, trainer)
  }

  @Test("ImageNet's recipe trains MUXNet-m at 224")
  func imageNet() throws {
    let folder = try TemporaryFolder()
    try makeImages(folder, side: 260)
    let (log, trainer) = try run("imagenet_muxnet", in: folder, ["schedule.warmUp.epochs": "1"])
    #expect(trainer.network.name == "muxnet_m" && trainer.averagedModel != nil)
    #expect(log.steps.count == 2 && log.steps.allSatisfy { $0.loss.isFinite })
    // The warm-up starts at 0; the base rate is 0.016 for 256 images.
    #expect(log.steps[0].learningRate == 0)
    #expect(abs(log.steps[1].learningRate - 0.016 * 2 / 256 / 2) < 1e-12)
  }

  @Test("The transfer recipe starts from averaged weights with a new head, from images of 32")
  func transfer() throws {
    let folder = try TemporaryFolder()
    try makeImages(folder, side: 32)
    let source = try NetworkModel(
      ModelZoo.architecture(named: "muxnet_m").network(), seed: 5)
    try Safetensors.write(source.archive(), to: folder("imagenet.safetensors"))
    let (log, trainer) = try run(
      "cifar_transfer", in: folder,
      ["data.source": "folder", "model.initialWeights": folder("imagenet.safetensors")])
    #expect(log.steps.count == 2 && log.steps.allSatisfy { $0.loss.isFinite })
    #expect(log.steps.allSatisfy { $0.learningRate == 0.01 && ($0.gradientNorm ?? 0) > 0 })
    #expect(trainer.network.classCount == 2)
    #expect(log.notices.contains { $0.contains("initial weights from") })
  }
}
