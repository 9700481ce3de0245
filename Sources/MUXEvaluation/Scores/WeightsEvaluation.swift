// SPDX-License-Identifier: Apache-2.0
import Foundation
public import MUXConfiguration
import MUXImages

/// Finds the images that weights are to be evaluated on.
public enum WeightsEvaluation {
  /// Those settings under which weights were trained that matter for an evaluation, if the weights
  /// lie in the folder of a run; else none.
  public static func settings(ofRun path: String) throws -> ConfigurationTree {
    guard let run = try? RunFolder(existing: path),
      FileManager.default.fileExists(atPath: run.configuration)
    else { return ConfigurationTree() }
    return try ConfigurationTree(contentsOf: run.configuration)
      .keeping(EvaluationConfiguration.keys)
  }

  /// Evaluates weights on a part of the data.
  ///
  /// A folder of images without the sub-folder of that part is taken as a whole.
  ///
  /// - Parameters:
  ///   - weights: The classes, and how images are prepared.
  ///   - classifier: What computes with the weights.
  ///   - configuration: Data and batch size.
  ///   - part: The part of the data.
  ///   - progress: Told of the images done and their total.
  public static func run(
    _ weights: TrainedWeights, classifier: some Classifier,
    configuration: EvaluationConfiguration, part: DataPart,
    progress: @escaping (Int, Int) throws -> Void = { _, _ in }
  ) throws -> EvaluationResult {
    let data = configuration.data
    var evaluator = Evaluator()
    evaluator.progress = progress
    return try evaluator.evaluate(
      classifier, pipeline: weights.pipeline, on: try images(part, of: data, for: weights),
      batchSize: data.evaluationBatchSize ?? configuration.batchSize, workers: data.workers)
  }

  /// The images of a part, with the classes of the weights where these are known by name. A folder
  /// without the sub-folder of that part is taken as a whole.
  static func images(
    _ part: DataPart, of data: DataConfiguration, for weights: TrainedWeights
  ) throws -> any ImageDataSet {
    var data = data
    // What the weights were trained on; weights of other origin do not say.
    if weights.metadata != nil { data.orientation = weights.pipeline.orientation }
    if data.source == .folder, let path = data.path {
      func isMissing(_ folder: String) -> Bool {
        !FileManager.default.fileExists(atPath: "\(path)/\(folder)")
      }
      if isMissing(data.validationFolder) { data.validationFolder = "" }
      if isMissing(data.testFolder) { data.testFolder = "" }
      if isMissing(data.trainingFolder) { data.trainingFolder = "" }
    }
    return try data.open(
      part, classNames: data.source == .folder ? weights.metadata?.classNames : nil)
  }
}
