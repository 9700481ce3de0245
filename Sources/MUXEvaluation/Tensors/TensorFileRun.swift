// SPDX-License-Identifier: Apache-2.0
public import MUXNetworks
import MUXPyTorch
public import MUXRuntime
package import MUXWeights

/// Runs a network on the tensors of a file, so that it can be compared with any other
/// implementation.
public enum TensorFileRun {
  /// The name of the tensor [N, C, H, W] that is read.
  public static let inputName = "input"
  /// The name of the tensor that is written. Of a network with several outputs, each is written
  /// under its layer's name instead.
  public static let outputName = "output"

  /// Reads `input`, runs the network in the inference runtime, and writes `output`.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - weights: Its weights, of any format that `WeightsFile` reads, or the folder of a run.
  ///   - key: The key of the state dict in a PyTorch checkpoint; nil chooses.
  ///   - input: A safetensors file with the tensor ``inputName``.
  ///   - output: The safetensors file to write.
  ///   - layer: The layer or block whose value is written; nil takes the network's output.
  ///   - threads: Threads that compute; nil takes one per core.
  ///   - precision: The precision of operands; nil takes what a packed file is for, else single
  ///     precision.
  /// - Returns: The shapes of what was written, in the order of the network's outputs.
  @discardableResult
  public static func runtime(
    _ network: Network, weights: String, key: String? = nil, input: String, output: String,
    layer: String? = nil, threads: Int? = nil, precision: Precision? = nil
  ) throws -> [[Int]] {
    let images = try images(input, for: network)
    let cut = try layer.map { try network.cut(atLayer: $0) } ?? network
    let size = ImageSize(height: images.shape[2], width: images.shape[3])
    let plan: InferencePlan
    if PackedModel.isPacked(weights) {
      if let key { throw WeightsFileError(path: weights, key: key, kind: "a packed file") }
      guard layer == nil else { throw EvaluationError.packed(path: weights) }
      let model = try PackedModel(contentsOf: weights)
      guard model.network == network else {
        throw CheckpointError.unreadable(
          path: weights, reason: "it holds another network; leave the network out")
      }
      plan = try InferencePlan(model, inputSize: size, precision: precision)
    } else {
      guard precision != .int8 else { throw EvaluationError.uncalibrated(path: weights) }
      let checked = try CheckedWeights(
        WeightsSource.read(weights, key: key), for: network, path: weights)
      plan = try InferencePlan(
        checked.part(cut), inputSize: size, precision: precision ?? .float32)
    }
    let engine = try InferenceEngine(plan, threads: threads ?? InferenceEngine.coreCount)
    let count = images.shape[0]
    let values = try count > 0 ? engine.run(images.floats, count: count) : []
    try checkOutputs(values, of: network, layer: layer)
    // An image's outputs come one after the other.
    let stride = plan.outputShape.count
    var start = 0
    let results = zip(plan.outputs, cut.outputIndices).map { output, index in
      let shape = output.shape
      let sides = cut.isFlat(index) ? [] : [shape.height, shape.width]
      let own = (0..<count).flatMap { image in
        values[image * stride + start..<image * stride + start + shape.count]
      }
      start += shape.count
      return ArchivedTensor(own, shape: [count, shape.channels] + sides)
    }
    try write(results, of: network, layer: layer, to: output)
    return results.map(\.shape)
  }

  /// The tensor ``inputName`` of a file, which must be images of the network's channels.
  package static func images(_ path: String, for network: Network) throws -> ArchivedTensor {
    let archive = try WeightsFile.load(path).archive
    guard let images = archive[inputName] else {
      throw TensorInputError(path: path, reason: .missing(found: archive.names))
    }
    guard images.shape.count == 4, images.shape[1] == network.inputChannels else {
      throw TensorInputError(
        path: path, reason: .shape(images.shape, channels: network.inputChannels))
    }
    do { _ = try images.narrowed(to: .float32) } catch {
      throw TensorValueError(path: path, tensor: inputName, reason: error)
    }
    if let reason = images.nonFiniteReason {
      throw TensorValueError(path: path, tensor: inputName, reason: reason)
    }
    return images
  }

  /// Makes sure that what a network gives are numbers.
  package static func checkOutputs(
    _ values: [Float], of network: Network, layer: String?
  ) throws(EvaluationError) {
    guard values.allSatisfy({ $0.isFinite }) else {
      throw .notFinite(
        network: network.name, what: layer.map { "the layer '\($0)'" } ?? "an output")
    }
  }

  /// Writes a file with the value of a layer, or with the network's outputs.
  package static func write(
    _ tensors: [ArchivedTensor], of network: Network, layer: String?, to path: String
  ) throws {
    var written = TensorArchive(metadata: ["network": network.name])
    if let layer { written.metadata["layer"] = layer }
    let names = layer == nil && network.outputs.count > 1 ? network.outputs : [outputName]
    for (name, tensor) in zip(names, tensors) { written[name] = tensor }
    try Safetensors.write(written, to: path)
  }
}
