// SPDX-License-Identifier: Apache-2.0
import Foundation
package import MUXConfiguration
public import MUXImages
public import MUXTasks
import MUXVision

/// Finds the images that weights are to be evaluated on.
public enum WeightsEvaluation {
  /// Those settings under which weights were trained that matter for an evaluation, if the weights
  /// lie in the folder of a run; else none.
  package static func settings(ofRun path: String) throws -> ConfigurationTree {
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
  ///   - model: What computes with the weights.
  ///   - configuration: Data and batch size.
  ///   - part: The part of the data.
  ///   - augmentation: The views of each image that are averaged.
  ///   - resampling: How intervals of the scores are drawn, for tasks that have them.
  ///   - progress: Told of the images done and their total.
  public static func run(
    _ weights: TrainedWeights, model: some VisionModel,
    configuration: EvaluationConfiguration, part: DataPart,
    augmentation: TestAugmentation = .none, resampling: Resampling? = nil,
    progress: @escaping (Int, Int) throws -> Void = { _, _ in }
  ) throws -> EvaluationResult {
    let data = configuration.data
    let images = try images(part, of: data, for: weights)
    var evaluator = Evaluator()
    evaluator.progress = progress
    evaluator.resampling = resampling
    let views = try AugmentedModel(
      model, augmentation, head: weights.head(), pipeline: weights.pipeline)
    var result = try evaluator.evaluate(
      views, task: weights.task.task, pipeline: views.pipeline, on: images,
      batchSize: data.evaluationBatchSize ?? configuration.batchSize, workers: data.workers)
    result.leftOut = images.leftOut.groups
    result.warnings = images.warnings.map(\.description)
    return result
  }

  /// The images of a part, with the classes of the weights where these are known by name; classes
  /// without images are allowed. A folder of class folders is taken as a whole, unless settings
  /// divide it.
  package static func images(
    _ part: DataPart, of data: DataConfiguration, for weights: TrainedWeights
  ) throws -> any ImageDataSet {
    var data = try data.forEvaluation(part)
    // What the weights were trained on; weights of other origin do not say.
    if weights.metadata != nil { data.orientation = weights.pipeline.orientation }
    return data.limited(
      try data.openAsIs(
        part, classNames: data.isNamedByClass ? classNames(weights, in: data) : nil,
        allowsEmptyClasses: true))
  }

  /// The classes of weights as the data calls them: ImageNet's folders have numbers of WordNet for names,
  /// its networks words.
  private static func classNames(
    _ weights: TrainedWeights, in data: DataConfiguration
  ) -> [String]? {
    guard let names = weights.metadata?.classNames, names == ImageNetClasses.names,
      let path = data.path
    else { return weights.metadata?.classNames }
    let parts = [data.trainingFolder, data.validationFolder, data.testFolder]
    let isNumbered = Set(parts + [""]).contains { part in
      let folders = try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(part)")
      return folders?.contains(where: ImageNetClasses.isWordNetID) ?? false
    }
    return isNumbered ? ImageNetClasses.wordNetIDs : names
  }
}

extension DataConfiguration {
  /// These settings for images that may be arranged otherwise than those of the training were.
  func forEvaluation(_ part: DataPart) throws -> DataConfiguration {
    guard let path, isNamedByClass, !hasBoxes, source != .chestxray14 else { return self }
    var settings = self
    if Self.isFile(path), source == .list || path.lowercased().hasSuffix(".csv") {
      // One list is taken as a whole, unless settings divide it.
      settings.source = .list
      return settings
    }
    guard source == .folder else { return settings }
    func isMissing(_ folder: String) -> Bool {
      !FileManager.default.fileExists(atPath: "\(path)/\(folder)")
    }
    switch try FolderLayout(path) {
    case .classes:
      if isMissing(validationFolder) || isUsual(\.validationFolder) {
        settings.validationFolder = ""
      }
      if isMissing(testFolder) || isUsual(\.testFolder) { settings.testFolder = "" }
      if isMissing(trainingFolder) || isUsual(\.trainingFolder) { settings.trainingFolder = "" }
    case .parts(let parts, _):
      if takesWholeFolder {
        // Of a training on class folders alone.
        settings.trainingFolder = DataConfiguration().trainingFolder
        settings.validationFraction = 0
        settings.folds = nil
        settings.fold = 1
        settings.testFraction = 0
      }
      guard isMissing(settings.folder(of: part)), settings.fraction(of: part) == 0 else { break }
      guard let folder = parts.first(where: { $0.role == part })?.folder else {
        throw EvaluationError.noPart(
          path: path, folder: settings.folder(of: part), part: part, present: parts.map(\.role))
      }
      settings.setFolder(of: part, to: folder)
    }
    return settings
  }

  /// Whether the classes are known by the names that folders or lists give them.
  var isNamedByClass: Bool {
    source == .folder || source == .list || source == .chestxray14 || hasBoxes
  }

  private func isUsual(_ key: KeyPath<DataConfiguration, String>) -> Bool {
    self[keyPath: key] == DataConfiguration()[keyPath: key]
  }

  private func fraction(of part: DataPart) -> Double {
    switch part {
    case .training: 0
    case .validation: folds.map { 1 / Double($0) } ?? validationFraction
    case .test: testFraction
    }
  }

  private mutating func setFolder(of part: DataPart, to folder: String) {
    switch part {
    case .training: trainingFolder = folder
    case .validation: validationFolder = folder
    case .test: testFolder = folder
    }
  }
}
