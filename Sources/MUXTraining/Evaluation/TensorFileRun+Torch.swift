// SPDX-License-Identifier: Apache-2.0
public import MUXEvaluation
public import MUXNetworks
public import MUXTensor
import MUXWeights

extension TensorFileRun {
  /// Reads `input`, runs the network on libtorch in inference mode, and writes `output`.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - weights: Its weights, of any format that `WeightsFile` reads, or the folder of a run.
  ///   - key: The key of the state dict in a PyTorch checkpoint; nil chooses.
  ///   - input: A safetensors file with the tensor ``inputName``.
  ///   - output: The safetensors file to write.
  ///   - layer: The layer or block whose value is written; nil takes the network's output.
  ///   - device: Where to run it.
  /// - Returns: The shapes of what was written, in the order of the network's outputs.
  @discardableResult
  public static func torch(
    _ network: Network, weights: String, key: String? = nil, input: String, output: String,
    layer: String? = nil, device: Device = .cpu
  ) throws -> [[Int]] {
    // Cheap checks first: a network takes a while to fill with fresh weights.
    let images = try images(input, for: network)
    if let layer { _ = try network.index(ofLayer: layer) }
    let model = try NetworkModel(network, seed: 0, device: device)
    try model.load(WeightsSource.read(weights, key: key), from: weights)
    model.isTraining = false
    let results = try withoutGradient { () throws in
      let batch = try Tensor.copy(of: images).to(.float32).to(device)
      guard let layer else { return try model.outputs(batch) }
      return [try model.value(ofLayer: layer, for: batch)]
    }
    let tensors = try results.map { try ArchivedTensor($0.contiguous()) }
    for tensor in tensors { try checkOutputs(tensor.floats, of: network, layer: layer) }
    try write(
      tensors, of: network, layer: layer, to: output)
    return results.map(\.shape)
  }
}
