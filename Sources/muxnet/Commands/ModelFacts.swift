// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
import MUXImages
import MUXRuntime
import MUXTasks
import MUXWeights

/// What a file of weights or a packed file says beside its network.
struct ModelFacts: Encodable {
  let path: String
  let kind: String
  let fileBytes: Int?
  /// The version of a packed file's format.
  let formatVersion: Int?
  let task: String
  /// Whether the file names its classes; else they are numbers.
  let namesClasses: Bool
  let classNames: [String]
  let pipeline: ImagePipeline
  /// The precision of a packed file, or the element types of weights.
  let precision: String
  let lanes: [Int]?
  let averaged: Bool?
  let epoch: Int?
  let scores: Scores?
  private let metrics: [Metric]

  private enum CodingKeys: String, CodingKey {
    case path, kind, fileBytes, formatVersion, task, namesClasses, classNames, pipeline
    case precision, lanes, averaged, epoch, scores
  }

  /// The facts of trained weights or a packed file; nil for a network alone.
  init?(_ source: ModelSource) throws {
    let trained: TrainedWeights
    switch source {
    case .network: return nil
    case .weights(let weights):
      trained = weights
      let types = Set(weights.archive.map { $0.1.elementType.rawValue }).sorted()
      precision = types.joined(separator: ", ")
      kind = Self.isFolder(weights.path) ? "a run" : "weights"
      formatVersion = nil
      lanes = nil
    case .packed(let model):
      trained = try TrainedWeights(path: model.path)
      precision = model.precision.rawValue
      kind = "packed for the runtime"
      formatVersion = model.formatVersion
      lanes = model.lanes
    }
    path = trained.path
    task = trained.task.name
    classNames = trained.classNames
    // Classes may be called by numbers: those of a run are names all the same.
    namesClasses = trained.metadata != nil || classNames != classNames.indices.map(String.init)
    pipeline = trained.pipeline
    averaged = trained.metadata?.isAveraged
    epoch = trained.metadata?.epoch
    scores = trained.metadata?.scores
    metrics = trained.task.task.metrics(classes: trained.classNames.count)
    fileBytes =
      Self.isFolder(path)
      ? nil : try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  /// The facts in rows of name and value.
  var rows: [[String]] {
    var rows = [["file", "\(path.printable): \(kind)"]]
    if let fileBytes { rows.append(["size (bytes)", fileBytes.grouped]) }
    if let formatVersion { rows.append(["format version", "\(formatVersion)"]) }
    rows.append(["task", task])
    let shown = classNames.prefix(8).map(\.printable).joined(separator: ", ")
    rows.append([
      "names of the classes",
      namesClasses ? shown + (classNames.count > 8 ? ", …" : "") : "none",
    ])
    rows.append(["preparation", pipeline.summary])
    rows.append([lanes == nil ? "element types" : "precision", precision])
    if let lanes {
      rows.append(["lanes of vectors", lanes.map(String.init).joined(separator: ", ")])
    }
    if let epoch, epoch > 0 {
      rows.append(["trained", "\(epoch) epochs\(averaged == true ? ", averaged weights" : "")"])
    }
    if let scores {
      let values = metrics.filter { scores[$0] != nil }.map { "\($0.label) \($0.text(scores[$0]))" }
      rows.append(["validation", values.joined(separator: ", ")])
    }
    return rows
  }
}
