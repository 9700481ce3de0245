// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXCore
import MUXEvaluation
import MUXImages
import MUXNetworks
import MUXRuntime
import MUXTasks
import MUXTensor
import MUXTestSupport
import MUXTraining
import MUXVision
import MUXWeights
import Testing

@Suite("Detection: the loss, and training on coloured squares") struct DetectionTests {
  private static let lossFile = "reference/tasks/ssd_loss.safetensors"

  private struct Expected: Decodable {
    var classification: Double
    var box: Double
    var total: Double
  }

  @Test(
    "losses and gradients are those of the public code, also where no default box has an object",
    .enabled(if: Shared.has(lossFile), "\(Shared.absent)"))
  func loss() throws {
    let file = try Safetensors.read(Shared.path(Self.lossFile))
    func tensor(_ name: String, _ images: Int) throws -> (values: [Float], shape: [Int]) {
      let tensor = try #require(file[name])
      let shape = [images] + tensor.shape.dropFirst()
      return (Array(tensor.floats.prefix(shape.reduce(1, *))), shape)
    }
    for (prefix, images) in [("", 4), ("one_without_positives.", 1)] {
      let text = try #require(file.metadata["\(prefix)losses"])
      let expected = try JSONDecoder().decode(Expected.self, from: Data(text.utf8))
      let (logits, offsets) = (try tensor("logits", images), try tensor("offsets", images))
      let priors = logits.shape[1]
      let labels =
        prefix.isEmpty
        ? try #require(file["labels"]).integers.map { Int($0) }
        : [Int](repeating: 0, count: priors)
      let values = try tensor("targets", images).values
      let targets = (0..<images).map { image in
        DetectionTargets(
          labels: Array(labels[image * priors..<(image + 1) * priors]),
          offsets: Array(values[4 * image * priors..<4 * (image + 1) * priors]))
      }
      let logitTensor = try Tensor(logits.values, shape: logits.shape)
      let offsetTensor = try Tensor(offsets.values, shape: offsets.shape)
      try logitTensor.setRequiresGrad()
      try offsetTensor.setRequiresGrad()
      let losses = try DetectionObjective.losses(
        logits: logitTensor, offsets: offsetTensor, targets: targets, ratio: 3)
      #expect(abs(try losses.total.item() - expected.total) < 1e-5 * max(1, expected.total))
      #expect(losses.parts.map(\.name) == ["classes", "boxes"])
      #expect(abs(try losses.parts[0].value.item() - expected.classification) < 2e-4)
      #expect(abs(try losses.parts[1].value.item() - expected.box) < 1e-4)
      try losses.total.backward()
      for (name, own) in [("logits", logitTensor), ("offsets", offsetTensor)] {
        let gradient = try #require(try own.grad()).floats()
        let other = try #require(file["\(prefix)\(name)_gradient"]).floats
        #expect(gradient.count == other.count)
        for (a, b) in zip(gradient, other) where abs(a - b) > 1e-5 {
          Issue.record("\(prefix)\(name): \(a) instead of \(b)")
          break
        }
      }
    }
  }

  private func settings(_ text: String, _ changes: [String] = []) throws -> TrainingConfiguration {
    var tree = try ConfigurationTree(yaml: text, source: .file("test"))
    for change in changes { try tree.set(assignment: change, source: .option("test")) }
    return try tree.decode(TrainingConfiguration.self)
  }

  @Test(
    "coloured squares are found after seconds; weights, packed files and the engine say the same")
  func trains() throws {
    let folder = try TemporaryFolder()
    let list = try TinyDetector.writeData(folder, count: 200)
    let settings = try settings(TinyDetector.recipe(folder, list))
    let network = try TinyDetector.network(classes: 2)
    let log = EventLog()
    let trainer = try Trainer(settings, network: network, observers: [log])
    trainer.stop = StopSignal()
    let result = try trainer.run()
    let best = try #require(result.best?.validation)
    #expect(try #require(best["map"]) > 0.5)
    #expect(try #require(best["map11"]) > 0.5 && (best["coco"] ?? 0) > 0.1)
    #expect(Set(log.steps.flatMap { $0.lossParts.map(\.name) }) == ["classes", "boxes"])

    let model = try TrainedModel(path: trainer.folder.path)
    let task = try #require(model.weights.task.task as? Detection)
    #expect(task.priors?.count == 8 * 8 * 4 + 4 * 4 * 4 && model.classNames == ["green", "red"])
    let validation = try settings.data.open(.validation)
    let again = try model.evaluate(on: validation)
    // Batches of another size may round otherwise.
    #expect(abs((again.scores["map"] ?? 0) - (best["map"] ?? 1)) < 0.02)
    let details = try #require(again.details as? DetectionMeter.Details)
    #expect(details.classes.map(\.name) == ["green", "red"])

    // The same boxes through a packed file, in pixels of a picture of another size.
    let packed = folder("squares.muxnet")
    try model.weights.writePacked(to: packed)
    let engine = try InferenceEngine(InferencePlan(model: packed))
    let safetensors = try InferenceEngine(
      InferencePlan(model: "\(trainer.folder.path)/best.safetensors"))
    for index in 0..<8 {
      let image = try validation.image(at: index).resized(
        width: 128, height: 96, interpolation: .bilinear)
      let said = try #require(try model.predictor.predict(image) as? Detections)
      let found = try engine.detect(image)
      #expect(found.boxes.map(\.label) == said.boxes.map(\.label))
      for (own, other) in zip(found.boxes, said.boxes) {
        #expect(
          own.box.overlap(other.box) > 0.99 && abs(own.probability - other.probability) < 1e-3)
      }
      #expect(try safetensors.detect(image).boxes.map(\.label) == found.boxes.map(\.label))
      let all = try engine.detect(image, settings: DecodingSettings(threshold: 0))
      #expect(all.boxes.count > found.boxes.count && all.width == 128 && all.height == 96)
    }
    #expect(throws: RuntimeError.self) {
      try engine.classify(Image(width: 9, height: 9, color: [1, 2, 3]))
    }
  }

  @Test("boxes of classes that the training does not have are warned of, and kept with the run")
  func unknownClasses() throws {
    let folder = try TemporaryFolder()
    let list = try TinyDetector.writeData(folder, count: 20)
    let text = try String(contentsOfFile: list, encoding: .utf8)
    try FileManager.default.removeItem(atPath: list)
    for (name, more) in [("train", ""), ("val", "1.png,2,2,20,20,blue\n")] {
      try folder.write("squares/\(name).csv", Array((text + more).utf8))
    }
    let settings = try settings(
      TinyDetector.recipe(folder, folder("squares")),
      ["data.validationFraction=0", "epochs=1", "schedule.warmUp.epochs=0"])
    let log = EventLog()
    let trainer = try Trainer(
      settings, network: TinyDetector.network(classes: 2), observers: [log])
    trainer.stop = StopSignal()
    try trainer.run()
    #expect(log.warnings.count == 1, "\(log.warnings)")
    let line = "1 box of classes that are not among the others left out, such as one of "
    #expect(log.warnings.first?.hasPrefix("validation data: " + line) == true)
    let record = try JSONDecoder().decode(
      DataRecord.self, from: Data(contentsOf: URL(filePath: "\(trainer.folder.path)/data.json")))
    #expect(record.validation.warnings?.count == 1 && record.training.warnings == nil)
    #expect(record.validation.warnings?.first?.hasPrefix(line) == true)
  }

  @Test("a run that was broken off goes on bit for bit")
  func resumes() throws {
    let folder = try TemporaryFolder()
    let list = try TinyDetector.writeData(folder, count: 48)
    let changes = [
      "epochs=2", "checkpoints.everySteps=1", "augmentation.crop=overlap", "data.cache=true",
    ]
    let network = try TinyDetector.network(classes: 2, channels: 8)
    func configuration(_ name: String) throws -> TrainingConfiguration {
      var value = try settings(TinyDetector.recipe(folder, list, name: name), changes)
      value.average.isEnabled = true
      return value
    }
    let whole = try Trainer(configuration("whole"), network: network)
    whole.stop = StopSignal()
    _ = try whole.run()
    let stop = StopSignal()
    let part = try Trainer(
      configuration("part"), network: network, observers: [AfterStep(1) { stop.request() }])
    part.stop = stop
    _ = try part.run()
    let rest = try Trainer(resuming: folder("runs/part"))
    rest.stop = StopSignal()
    _ = try rest.run()
    #expect(try TestRun.bits(of: folder("runs/part")) == TestRun.bits(of: folder("runs/whole")))
  }

  @Test("data, networks and settings that do not fit are one clear line")
  func misfits() throws {
    let folder = try TemporaryFolder()
    let list = try TinyDetector.writeData(folder, count: 12)
    func error(_ changes: [String], network: Network? = nil) -> String {
      do {
        _ = try Trainer(
          try settings(TinyDetector.recipe(folder, list), changes), network: network)
        return "none"
      } catch { return "\(error)" }
    }
    let network = try TinyDetector.network(classes: 2)
    #expect(error(["model.name=muxnet_xs"]).contains("one output only"))
    #expect(error(["task=classification"], network: network).contains("has boxes, but"))
    #expect(
      error([], network: try TinyDetector.network(classes: 5)).contains(
        "5 classes and the background"))
    #expect(error(["mixing.mixup=0.2"], network: network).contains("are not mixed"))
    #expect(error(["task.priors.imageSize=0"], network: network).contains("imageSize"))
    #expect(
      error(["task=detection"], network: network) == "none", "default boxes follow from the maps")
  }

  @Test(
    "weights of a classifier load into the backbone of a detector by name",
    arguments: [
      ("muxnet_m", "ssdlite_muxnet_m"), ("mobilenetv2_100", "ssdlite_mobilenetv2"),
      ("tf_efficientnet_lite0", "ssdlite8_tf_efficientnet_lite0"),
      ("mobilenetv3_large_100", "ssdlite_mobilenetv3_large_100"),
    ])
  func backbone(classifier: String, detector: String) throws {
    let folder = try TemporaryFolder()
    let list = try TinyDetector.writeData(folder, count: 8)
    let network = try ModelZoo.network(named: classifier)
    let archive = RandomWeights.archive(network, seed: 5)
    try Safetensors.write(archive, to: folder("classifier.safetensors"))
    let settings = try settings(
      TinyDetector.recipe(folder, list),
      [
        "epochs=1", "batchSize=6", "model.name=\(detector)", "model.inputSize=64",
        "task=detection", "model.initialWeights=\(folder("classifier.safetensors"))",
        "model.allowsPartialWeights=true", "optimizer.kind=sgd", "optimizer.learningRate=1e-12",
      ])
    let trainer = try Trainer(settings)
    trainer.stop = StopSignal()
    _ = try trainer.run()
    let trained = try TrainedModel(path: trainer.folder.path).weights.archive
    let names = ModelZoo.backboneNames(of: try ModelZoo.network(named: detector))
    var compared = 0
    for (own, layer) in names {
      guard let source = archive["\(layer).weight"] else { continue }
      let loaded = try #require(trained["\(own).weight"]).floats
      #expect(zip(loaded, source.floats).allSatisfy { abs($0 - $1) < 1e-5 }, "\(own)")
      compared += 1
    }
    #expect(compared > 40)
  }

  @Test("a batch without objects gives 0")
  func nothing() throws {
    let network = try TinyDetector.network(classes: 2)
    var task = Detection()
    task.priors = nil
    let head = try task.head(for: network, classNames: ["a", "b"])
    struct NoImages: ImageDataSet {
      var count: Int { 0 }
      var classNames: [String] { ["a", "b"] }
      func target(at index: Int) -> Target { .boxes([]) }
      func name(at index: Int) -> String { "" }
      func image(at index: Int) throws -> Image { Image(width: 1, height: 1, color: [0]) }
    }
    let objective = try task.objective(
      ObjectiveSettings(mixing: MixingConfiguration(), seed: 0, training: NoImages()), head: head)
    let model = try NetworkModel(network, seed: 1, device: .cpu)
    let pixels = PixelBatch(
      count: 2, channels: 3, height: 64, width: 64,
      values: [Float](repeating: 0.1, count: 2 * 3 * 64 * 64))
    let losses = try objective.losses(
      of: Batch(pixels: pixels, targets: [.boxes([]), .boxes([])])
    ) {
      try model.outputs(Tensor($0.values, shape: $0.shape))
    }
    #expect(try losses.total.item() == 0)
    try losses.total.backward()
    let degenerate = LabeledBox(label: 0, left: 5, top: 5, right: 5, bottom: 9)
    let again = try objective.losses(
      of: Batch(pixels: pixels, targets: [.boxes([degenerate]), .boxes([])])
    ) { try model.outputs(Tensor($0.values, shape: $0.shape)) }
    #expect(try again.total.item() == 0)
  }
}
