// SPDX-License-Identifier: Apache-2.0
import MUXImages
import MUXNetworks
import MUXRuntime
import MUXTasks
import MUXTestSupport
import MUXWeights
import Testing

@Suite("Finding things in images with an engine")
struct DetectTests {
  private func detector() throws -> (network: Network, weights: TensorArchive) {
    let network = try ModelZoo.network(
      named: "ssdlite_muxnet_m", options: ModelOptions(classes: 4, inputSize: ImageSize(96)))
    return (network, RandomWeights.archive(network, seed: 3))
  }

  private func pack(
    _ folder: TemporaryFolder, _ name: String, classNames: [String]?, task: Detection?
  ) throws -> String {
    let (network, weights) = try detector()
    let packed = try PackedModel.pack(
      CheckedWeights(weights, for: network), classNames: classNames,
      task: task == nil ? nil : Detection.name, taskSettings: task.map { NamedTask($0) },
      pipeline: ImagePipeline(
        transforms: [.letterbox(Letterbox(size: 96))], mean: [0.5, 0.5, 0.5],
        standardDeviation: [0.5, 0.5, 0.5]), lanes: nil)
    return try folder.write(name, packed.bytes)
  }

  @Test("boxes are those of the head on the same outputs, in pixels of the picture")
  func detects() throws {
    let folder = try TemporaryFolder()
    var task = Detection()
    task.threshold = 0.4
    task.limit = 7
    let path = try pack(folder, "a.muxnet", classNames: ["a", "b", "c"], task: task)
    let model = try PackedModel(contentsOf: path)
    #expect(model.task == "detection" && model.taskSettings == NamedTask(task))
    let plan = try InferencePlan(model: path)
    let engine = try InferenceEngine(plan)
    let image = Image(
      width: 120, height: 60, channels: 3,
      pixels: (0..<120 * 60 * 3).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 / 360 &* 13) })
    let head = try task.head(for: model.network, classNames: ["a", "b", "c"])
      .forImages(preparedBy: try #require(plan.pipeline))
    let values = try engine.run(plan.pixels(of: image))
    for threshold in [nil, 0, 0.2] as [Double?] {
      let settings = DecodingSettings(threshold: threshold)
      let found = try engine.detect(image, settings: settings)
      #expect(found == head.decode(values[...], original: image.size, settings: settings))
      #expect(found.boxes.count <= 7 && found.width == 120 && found.height == 60)
      for box in found.boxes {
        #expect(box.left >= 0 && box.right <= 120 && box.top >= 0 && box.bottom <= 60)
      }
    }
    #expect(try engine.detect(image, settings: DecodingSettings(threshold: 0)).boxes.count == 7)
    for strange in [ImageSize(1), ImageSize(height: 3000, width: 1)] {
      let strip = Image(width: strange.width, height: strange.height, color: [9, 9, 9])
      #expect(try engine.detect(strip).height == strange.height)
    }
  }

  @Test("a file that names no classes has numbers; one for something else is refused")
  func misfits() throws {
    let folder = try TemporaryFolder()
    let image = Image(width: 50, height: 40, color: [10, 200, 30])
    let unnamed = try InferenceEngine(
      InferencePlan(model: pack(folder, "b.muxnet", classNames: nil, task: Detection())))
    let all = try unnamed.detect(image, settings: DecodingSettings(threshold: 0))
    #expect(!all.boxes.isEmpty && all.boxes.allSatisfy { ["0", "1", "2"].contains($0.label) })
    let untold = try InferenceEngine(
      InferencePlan(model: pack(folder, "c.muxnet", classNames: nil, task: nil)))
    let error = #expect(throws: RuntimeError.self) { try untold.detect(image) }
    #expect(error?.description.contains("not for detection") == true)
    #expect(throws: RuntimeError.self) { try unnamed.classify(image) }
    var task = Detection()
    task.priors = .mobile300
    let other = try InferenceEngine(
      InferencePlan(model: pack(folder, "d.muxnet", classNames: nil, task: task)))
    let misfit = #expect(throws: RuntimeError.self) { try other.detect(image) }
    #expect(misfit?.description.contains("task.priors") == true)
  }
}
