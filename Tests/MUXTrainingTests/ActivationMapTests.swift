// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXEvaluation
import MUXImages
import MUXNetworks
import MUXRuntime
import MUXTensor
import MUXTestSupport
import MUXTraining
import MUXWeights
import Testing

@Suite("Maps of what raises a class")
struct ActivationMapTests {
  private func weights(_ network: Network, in folder: TemporaryFolder) throws -> TrainedWeights {
    var archive = RandomWeights.archive(network, seed: 3)
    archive.metadata = try WeightsMetadata(
      network: network, classNames: (0..<10).map { "digit \($0)" },
      pipeline: ImagePipeline(
        transforms: [.resize(Resize(size: ImageSize(8)))], channels: 1, mean: [0.3],
        standardDeviation: [0.4])
    ).dictionary()
    try Safetensors.write(archive, to: folder("w.safetensors"))
    return try TrainedWeights(path: folder("w.safetensors"))
  }

  @Test("before a mean and a linear layer the map is that of the layer's weights")
  func linearHead() throws {
    let folder = try TemporaryFolder()
    let trained = try weights(TestRun.network(drops: false), in: folder)
    let maps = try #require(try ClassActivationMaps(trained))
    let batch = PixelBatch(
      count: 2, channels: 1, height: 8, width: 8,
      values: (0..<128).map { Float($0 * 29 % 17) / 17 - 0.4 })
    let model = try TrainedModel(trained).model
    let features = try model.value(
      ofLayer: maps.layer, for: Tensor(batch.values, shape: [2, 1, 8, 8]))
    let (channels, height, width) = (features.shape[1], features.shape[2], features.shape[3])
    #expect(height * width > 1)
    let values = try features.contiguous().floats()
    let linear = try #require(model.tensor(named: "classifier.weight")).detach().floats()
    let found = try maps.maps(of: batch, outputs: [4, 9])
    for (image, output) in [4, 9].enumerated() {
      var sums = (0..<height * width).map { pixel in
        max(
          0,
          (0..<channels).reduce(Float(0)) { sum, channel in
            sum + linear[output * channels + channel]
              * values[(image * channels + channel) * height * width + pixel]
          })
      }
      let greatest = sums.max() ?? 0
      sums = sums.map { greatest > 0 ? $0 / greatest : 0 }
      #expect(found[image].width == width && found[image].height == height)
      for (own, expected) in zip(found[image].values, sums) { #expect(abs(own - expected) < 1e-4) }
    }
    #expect(found[0] != found[1])
  }

  @Test("a detector has no such map")
  func detector() throws {
    let network = try ModelZoo.network(
      named: "ssdlite_muxnet_m", options: ModelOptions(classes: 3, inputSize: ImageSize(96)))
    let folder = try TemporaryFolder()
    var archive = RandomWeights.archive(network, seed: 1)
    archive.metadata = [:]
    try Safetensors.write(archive, to: folder("d.safetensors"))
    let trained = try TrainedWeights(path: folder("d.safetensors"), network: network)
    #expect(try ClassActivationMaps(trained) == nil)
  }
}
