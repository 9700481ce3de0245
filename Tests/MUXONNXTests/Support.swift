// SPDX-License-Identifier: Apache-2.0
import MUXNetworkFiles
import MUXNetworks
import MUXONNX
import MUXRuntime
import MUXWeights

/// Parses a model's file again.
func parse(_ model: ONNXModel) throws -> Onnx_ModelProto {
  try Onnx_ModelProto(serializedBytes: model.bytes())
}

/// Exports a network and parses the file. All weights are ½, which is quick to make, unless others
/// are given.
func exported(
  _ network: Network, _ weights: TensorArchive? = nil,
  _ change: (inout ONNXExport) -> Void = { _ in }
) throws -> Onnx_ModelProto {
  var export = ONNXExport()
  change(&export)
  return try parse(export.model(network, weights: weights ?? halves(network)))
}

/// Tensors for all parameters of a network, full of ½.
func halves(_ network: Network) -> TensorArchive {
  var archive = TensorArchive()
  for parameter in network.parameters where parameter.role != .batchCount {
    archive[parameter.name] = ArchivedTensor(
      [Float](repeating: 0.5, count: parameter.count), shape: parameter.shape)
  }
  return archive
}

/// A network of the zoo, smaller.
func zoo(_ name: String, side: Int, classes: Int = 7, width: Double? = nil) throws -> Network {
  try NetworkFile.resolve(
    name,
    options: ModelOptions(classes: classes, inputSize: ImageSize(side), widthMultiplier: width))
}

/// Numbers from −1 to 1 that look random: the same for the same seed.
func pixels(_ count: Int, seed: UInt64) -> [Float] {
  var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
  return (0..<count).map { _ in
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Float(Int64(bitPattern: state) >> 40) / Float(1 << 23)
  }
}

/// The largest difference between a file's output and the runtime's, over the largest output.
func difference(
  _ network: Network, seed: UInt64 = 1, _ change: (inout ONNXExport) -> Void = { _ in }
) throws -> Float {
  let weights = RandomWeights.archive(network, seed: seed)
  let message = try exported(network, weights, change)
  let size = network.inputSize
  let count = network.inputChannels * size.height * size.width
  let image = pixels(count, seed: seed + 100)
  var interpreter = try ReferenceInterpreter(message.graph)
  let actual = try interpreter.outputs(
    Numbers(shape: [1, network.inputChannels, size.height, size.width], values: image)
  ).flatMap(\.values)
  let plan = try InferencePlan(network, weights: weights)
  let expected = try InferenceEngine(plan, threads: 1).run(image)
  guard actual.count == expected.count else { return .infinity }
  let scale = expected.map(abs).max() ?? 0
  return (zip(actual, expected).map { abs($0 - $1) }.max() ?? .infinity) / max(scale, 1e-20)
}

/// The operators of a graph with how often each occurs.
func operators(_ message: Onnx_ModelProto) -> [String: Int] {
  ONNXModel(message: message).operators
}
