// SPDX-License-Identifier: Apache-2.0
import MUXEvaluation
import MUXImages
import MUXNetworks
import MUXTasks

/// A model whose outputs follow from the brightness of an image's first pixel, 0…1.
struct BrightnessModel: VisionModel {
  let network: Network
  let layout = MemoryLayout4D.channelsFirst
  let outputs: @Sendable (Float) -> [Float]

  init(classes: Int, outputs: @escaping @Sendable (Float) -> [Float]) throws {
    network = try Network.digits(classes: classes)
    self.outputs = outputs
  }

  func outputs(_ batch: PixelBatch) throws -> [OutputTensor] {
    let size = batch.values.count / batch.count
    let values = (0..<batch.count).map { outputs(batch.values[$0 * size]) }
    return [
      OutputTensor(
        name: "logits", shape: [batch.count, values[0].count], values: values.flatMap { $0 })
    ]
  }
}

extension Network {
  /// The smallest MUXNet, for grey images of 8×8 pixels.
  static func digits(classes: Int = 10) throws -> Network {
    try ModelZoo.architecture(named: "muxnet_xs")
      .applying(
        ModelOptions(classes: classes, inputChannels: 1, inputSize: ImageSize(8), outputStride: 4)
      ).network()
  }
}

/// Images of one pixel, by their brightness in 255ths.
struct Pixels: ImageDataSet {
  var levels: [UInt8]
  var targets: [Target]
  var classNames: [String]

  /// Leaves brightness as it is, from 0 to 1.
  static let pipeline = ImagePipeline(
    transforms: [], channels: 1, mean: [0], standardDeviation: [1])

  var count: Int { levels.count }
  func target(at index: Int) -> Target { targets[index] }
  func name(at index: Int) -> String { "pixel \(index)" }
  func image(at index: Int) -> Image {
    Image(width: 1, height: 1, channels: 1, pixels: [levels[index]])
  }
}
