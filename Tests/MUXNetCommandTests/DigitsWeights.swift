// SPDX-License-Identifier: Apache-2.0
import MUXEvaluation
import MUXImages
import MUXNetworks
import MUXRuntime
import MUXTestSupport
import MUXWeights

/// Weights that several tests of commands begin with.
enum DigitsWeights {
  /// A small network with random weights for the digits, as a run would have written it.
  static func write(in folder: TemporaryFolder) throws -> String {
    let network = try ModelZoo.architecture(named: "muxnet_xs")
      .applying(
        ModelOptions(classes: 10, inputChannels: 1, inputSize: ImageSize(8), outputStride: 4)
      ).network()
    var archive = RandomWeights.archive(network, seed: 1)
    archive.metadata = try WeightsMetadata(
      network: network, classNames: (0..<10).map { "digit \($0)" },
      pipeline: ImagePipeline(
        transforms: [.resize(Resize(size: ImageSize(8)))], channels: 1, mean: [0.3],
        standardDeviation: [0.4]),
      isAveraged: false, epoch: 1, step: 1, scores: nil
    ).dictionary()
    try Safetensors.write(archive, to: folder("w.safetensors"))
    return folder("w.safetensors")
  }
}
