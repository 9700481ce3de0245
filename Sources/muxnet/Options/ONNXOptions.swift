// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXConfiguration
import MUXEvaluation
import MUXNetworkFiles
import MUXNetworks
import MUXONNX
import MUXTasks
import MUXWeights

/// How a network is written as ONNX.
struct ONNXOptions: ParsableArguments {
  @Option(
    help: "The network's weights: a safetensors or PyTorch file, or the folder of a run.",
    completion: .file())
  var weights: String?

  @Option(help: "The batch size: a number, or dynamic (default: 1).")
  var batch: ONNXExport.Batch?

  @Flag(help: "Keep batch norms as nodes instead of folding them into the convolutions.")
  var keepBatchNorm = false

  @Flag(help: "Include a detector's post-processing in the model (decoding, NonMaxSuppression).")
  var postProcessing = false

  @Option(
    help: "With --post-processing: the least probability of a box (default: the task's).")
  var score: Double?

  @Option(
    help: "With --post-processing: how much boxes of one class may overlap (default: the task's).")
  var iou: Double?

  @Option(help: "With --post-processing: the most boxes per image (default: the task's).")
  var max: Int?

  @Option(help: "The licence of the weights, for the file's metadata (default: the weights' own).")
  var license: String?

  /// An option that was given, nil if none was.
  var given: String? {
    weights != nil ? "--weights" : givenBesidesWeights
  }

  /// An option besides the weights that was given, nil if none was.
  var givenBesidesWeights: String? {
    if batch != nil { return "--batch" }
    if license != nil { return "--license" }
    if postProcessing { return "--post-processing" }
    return settingOfBoxes ?? (keepBatchNorm ? "--keep-batch-norm" : nil)
  }

  /// An option about boxes that was given, nil if none was.
  private var settingOfBoxes: String? {
    score != nil ? "--score" : iou != nil ? "--iou" : max != nil ? "--max" : nil
  }

  func validate() throws {
    if !postProcessing, let option = settingOfBoxes {
      throw ValidationError("\(option) is for boxes; add --post-processing")
    }
    for (option, value) in [("score", score), ("iou", iou)] {
      if let value, !(0...1).contains(value) {
        throw ValidationError("--\(option) must lie in 0…1, not \(value)")
      }
    }
    if let max, !(1...1_000_000).contains(max) {
      throw ValidationError("--max must be from 1 to 1000000, not \(max)")
    }
  }

  /// What makes boxes of a detector's outputs; nil unless it is asked for.
  private func processing(
    _ network: Network, _ metadata: ModelMetadata
  ) throws -> DetectionPostProcessing? {
    guard postProcessing else { return nil }
    let task = metadata.task?.task ?? Detection()
    guard let detection = task as? Detection else {
      throw CommandError(
        "the weights are for the task \(type(of: task).name), which has no boxes: leave out"
          + " --post-processing")
    }
    return DetectionPostProcessing(
      head: try detection.head(for: network, classNames: metadata.classNames),
      settings: DecodingSettings(limit: max, threshold: score, overlap: iou))
  }

  /// The model of a network and its weights; or of weights that hold their network.
  func export(_ input: String, key: String?, changes: ModelOptions) throws -> ONNXModel {
    let archive: TensorArchive
    let network: Network
    if let weights {
      network = try NetworkFile.resolve(input, options: changes)
      archive = try read(weights, key: key)
    } else {
      let isNetwork = [.json, .yaml].contains(ConvertFormat(ending: input))
      guard !isNetwork, FileManager.default.fileExists(atPath: input) else {
        _ = try NetworkFile.resolve(input, options: changes)
        throw CommandError("an ONNX file holds weights; give those of '\(input)' with --weights")
      }
      archive = try read(input, key: key)
      guard let own = try ModelMetadata(archive).network else {
        throw CommandError(
          "\(input) does not hold its network; give 'MODEL --weights \(input)' instead")
      }
      network = try own.applying(changes)
    }
    let metadata = try ModelMetadata(archive)
    try metadata.checkClasses(of: network)
    var export = ONNXExport()
    export.batch = batch ?? export.batch
    export.keepsBatchNormalization = keepBatchNorm
    export.classNames = metadata.classNames
    export.pipeline = metadata.pipeline
    export.postProcessing = try processing(network, metadata)
    export.license = license ?? metadata.license
    export.producerVersion = MUXNetVersion.current
    return try export.model(network, weights: archive, path: weights ?? input)
  }

  private func read(_ path: String, key: String?) throws -> TensorArchive {
    let file = try WeightsSource.load(path, key: key)
    Console.remark(file.remark, path: path)
    return file.archive
  }

  /// What a model is, in a few words.
  func summary(of model: ONNXModel) -> String {
    let facts = model.metadata
    let batch =
      switch self.batch ?? .fixed(1) {
      case .dynamic: "any batch"
      case .fixed(let count): "batch \(count)"
      }
    return "\(facts["network"] ?? "network"), operator set \(ONNXExport.operatorSet), \(batch) of"
      + " \(facts["input_size"] ?? "images"), \(model.nodeCount) nodes, batch norms"
      + " \(facts["batch_norms"] ?? "folded")" + (postProcessing ? ", boxes made inside" : "")
  }
}
