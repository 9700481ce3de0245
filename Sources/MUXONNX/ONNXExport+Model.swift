// SPDX-License-Identifier: Apache-2.0
import MUXImages
public import MUXNetworks
public import MUXWeights

extension ONNXExport {
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
    if let postProcessing { try check(postProcessing, network) }
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
    message.graph = compiler.graph(postProcessing)
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

  /// Refuses post-processing of several images, and of another detector or size.
  private func check(
    _ processing: DetectionPostProcessing, _ network: Network
  ) throws(ONNXExportError) {
    guard batch == .fixed(1) else {
      throw .postProcessing(
        "boxes are found for one image at a time; make the batch 1, or leave the outputs as they are"
      )
    }
    guard processing.head.network == network.name,
      inputSize ?? network.inputSize == network.inputSize,
      processing.head.imageSize == network.inputSize
    else {
      throw .postProcessing(
        "the default boxes are those of \(processing.head.network) at \(processing.head.imageSize)"
          + " pixels, not of \(network.name) at \(inputSize ?? network.inputSize)")
    }
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
    if let postProcessing {
      entries += [
        ("outputs", ModelMetadata.json(of: DetectionPostProcessing.outputs)),
        ("boxes", "left, top, right, bottom in shares of the input image"),
        ("score_threshold", "\(postProcessing.threshold)"),
        ("overlap_threshold", "\(postProcessing.overlap)"),
        ("most_boxes", "\(postProcessing.limit)"),
      ]
    } else if network.outputs.count > 1 {
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
}
