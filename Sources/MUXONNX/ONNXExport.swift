// SPDX-License-Identifier: Apache-2.0
public import MUXImages
public import MUXNetworks
public import MUXWeights

/// Turns a network with its weights into an ONNX model for inference.
///
/// ```swift
/// var export = ONNXExport()
/// export.batch = .dynamic
/// try export.model(network, weights: archive).write(to: "muxnet_m.onnx")
/// ```
/// The input is called `input`, [N, C, H, W] in single precision; the output `output`, [N, classes]
/// as a rule (a detector has several, named after their layers). Tensors keep their PyTorch names. What only training needs (dropout, stochastic depth)
/// is left out. Spatial multiplexing becomes SpaceToDepth and DepthToSpace, whose channels are
/// phase-major as in the paper's code. A channel shuffle costs nothing where the next layer is a
/// convolution, a sum or a gate: the order of the channels goes into the weights; elsewhere it is
/// one Gather, together with the slice behind it.
public struct ONNXExport: Sendable {
  /// The version of the operator set: ONNX 1.12, which every runtime of the last years reads.
  public static let operatorSet = 17
  /// The version of the file format that belongs to it.
  public static let formatVersion = 8
  /// The name of the model's input.
  public static let inputName = "input"
  /// The name of the model's output; a detector's outputs have the names of their layers.
  public static let outputName = "output"

  /// N, the images in a batch.
  public enum Batch: Sendable, Hashable {
    /// Always so many.
    case fixed(Int)
    /// Any number; the dimension is called `N`.
    case dynamic
  }

  /// The images in a batch.
  public var batch: Batch = .fixed(1)
  /// Whether batch norms stay nodes of their own, instead of going into the convolution before them.
  public var keepsBatchNormalization = false
  /// The size of the images, nil for the network's.
  public var inputSize: ImageSize?
  /// The names of the classes, in the order of the outputs; empty where unknown.
  public var classNames: [String] = []
  /// What is done to an image before it goes in, nil where unknown. It is in the metadata, for the
  /// size of the model's input; the model takes what comes out.
  public var pipeline: ImagePipeline?
  /// The licence of the weights, nil where unknown.
  public var license: String?
  /// The version of the program that exports.
  public var producerVersion = ""

  /// Batch 1, folded batch norms, the network's own image size.
  public init() {}

  /// The model of `network` with the tensors of `weights`, which must fit exactly (`num_batches_tracked`
  /// may be missing, and names may be as wrappers leave them).
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - weights: Its tensors under their names.
  ///   - path: Where they come from, for messages.
  /// - Throws: `WeightsMismatchError` where the weights do not fit, `TensorValueError` where they hold
  ///   numbers that no network computes with, ``ONNXExportError`` where ONNX cannot say a layer, and
  ///   `NetworkError` where the images are too small.
  public func model(
    _ network: Network, weights: TensorArchive, path: String? = nil
  ) throws -> ONNXModel {
    if case .fixed(let count) = batch, count < 1 { throw ONNXExportError.batch(count) }
    try Self.checkSize(of: network)
    let size = inputSize ?? network.inputSize
    let analysis = try NetworkAnalysis(network, inputSize: size)
    let checked = try CheckedWeights(weights, for: network, path: path)
    var compiler = GraphCompiler(
      analysis, weights: checked, keepsBatchNormalization: keepsBatchNormalization, batch: batch)
    var message = Onnx_ModelProto()
    message.irVersion = Int64(Self.formatVersion)
    message.opsetImport = [.with { $0.version = Int64(Self.operatorSet) }]
    message.producerName = "muxnet"
    message.producerVersion = producerVersion
    message.modelVersion = 1
    message.graph = compiler.graph()
    if let layer = compiler.overflow {
      throw TensorValueError(
        path: path,
        tensor: "\(layer).\(ParameterSpecification.Role.convolutionWeight.suffix)",
        reason: .packing(precision: "float32"))
    }
    let costs = try CostReport(network, inputSize: size)
    message.docString =
      "\(network.name): \(costs.parameters) parameters, \(costs.multiplyAdds) multiply-adds per"
      + " image of \(network.inputChannels)×\(size)"
    message.metadataProps = metadata(network, costs).map { key, value in
      .with {
        $0.key = key
        $0.value = value
      }
    }
    return ONNXModel(message: message)
  }

  /// What the file says about the model, in a fixed order.
  private func metadata(_ network: Network, _ costs: CostReport) -> [(String, String)] {
    var entries = [
      ("network", network.name),
      ("parameters", "\(costs.parameters)"),
      ("multiply_adds", "\(costs.multiplyAdds)"),
      ("multiply_adds_paper", "\(costs.paperMultiplyAdds)"),
      ("convention", CostReport.convention),
      ("input_size", "\(costs.inputSize.height)x\(costs.inputSize.width)"),
      ("batch_norms", keepsBatchNormalization ? "kept" : "folded"),
    ]
    if let classes = network.classCount { entries.append(("classes", "\(classes)")) }
    if network.outputs.count > 1 {
      entries.append(("outputs", ModelMetadata.json(of: network.outputs)))
    }
    if !classNames.isEmpty {
      entries.append(("class_names", ModelMetadata.json(of: classNames)))
    }
    if let pipeline {
      entries += PreparationMetadata(pipeline: pipeline.fitted(to: costs.inputSize)).entries
    }
    if let license { entries.append(("weights_license", license)) }
    return entries
  }

  /// A protobuf message, and with it an ONNX file without others beside it, ends below 2 GiB.
  private static func checkSize(of network: Network) throws(ONNXExportError) {
    // Names and nodes take far less than 16 MiB.
    let limit = Int(Int32.max) - (16 << 20)
    let parameters = network.parameters
    let bytes = parameters.reduce(0) { $0 + 4 * $1.count }
    guard bytes > limit, let largest = parameters.max(by: { $0.count < $1.count }) else { return }
    throw .unsupported(
      layer: network.nodes[largest.node].name,
      reason: "the weights take \(bytes) bytes, the most of them here (\(4 * largest.count)), and"
        + " an ONNX file holds less than 2 GiB; take a smaller width or fewer classes")
  }
}
