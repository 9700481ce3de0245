// SPDX-License-Identifier: Apache-2.0
internal import Foundation
internal import MUXCore
public import MUXImages
public import MUXNetworks
package import MUXTasks
public import MUXWeights

/// A network with its weights in one file: safetensors whose metadata holds the network, such as
/// ``write(to:)`` and `muxnet convert --random-weights` make, or a training run's `best.safetensors`.
///
/// The file is mapped into memory, and every claim in it is checked when it is opened.
public struct ModelFile: Sendable {
  /// The key of the metadata under which the network's JSON stands.
  public static let networkKey = "muxnet.network"
  /// The key under which a training run puts what it knows of its weights, the network among it.
  private static let runKey = "muxnet"

  /// The network, from the file's metadata.
  public let network: Network
  /// Its tensors, under the names of the layers; not checked against the network yet.
  public let weights: TensorArchive
  /// The classes, in the order of the outputs; nil if the file does not name them.
  public let classNames: [String]?
  /// The name of what the network is for, such as `multiLabel`; nil for classification.
  public let task: String?
  /// The settings of that task, where the file has any.
  package let taskSettings: NamedTask?
  /// What is done to an image before it goes in; nil if the file does not say.
  public let pipeline: ImagePipeline?

  /// A model from its parts.
  public init(_ network: Network, weights: TensorArchive) {
    self.network = network
    self.weights = weights
    classNames = nil
    task = nil
    taskSettings = nil
    pipeline = nil
  }

  /// Opens a model file.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - loading: Whether its tensors are used where they lie, or copied. A plan has copies of its own
  ///     once it is made.
  /// - Throws: ``RuntimeError/modelFile(path:reason:)`` or `SafetensorsError`.
  public init(contentsOf path: String, loading: ModelLoading = .mapped) throws {
    let archive: TensorArchive
    switch loading {
    case .mapped: archive = try Safetensors.read(path)
    case .copied:
      let file: ByteRegion
      do { file = try ByteRegion(reading: path) } catch {
        throw RuntimeError.modelFile(path: path, reason: error.description)
      }
      archive = try Safetensors.read(file, path: path)
    }
    guard let description = try Self.description(of: archive, path: path) else {
      throw RuntimeError.modelFile(
        path: path,
        reason: "it holds weights but no network; convert the weights to a file with both")
    }
    network = description.network
    classNames = description.classNames
    task = description.task.flatMap { $0.name == Classification.name ? nil : $0.name }
    taskSettings = description.task?.task
    pipeline = description.pipeline
    weights = archive
    if let defect = PackedDescription.defect(
      network, classNames: classNames, task: task, pipeline: pipeline)
    {
      throw RuntimeError.modelFile(path: path, reason: "\(defect); write it anew")
    }
  }

  /// What a training run writes of its weights, as far as inference needs it.
  private struct Description: Decodable {
    var network: Network
    var classNames: [String]?
    var task: TaskMention?
    var pipeline: ImagePipeline?
  }

  /// The network in the metadata of a model file's tensors; nil for other files. `path` is for
  /// messages.
  package static func network(
    of archive: TensorArchive, path: String
  ) throws(RuntimeError) -> Network? {
    try description(of: archive, path: path)?.network
  }

  private static func description(
    of archive: TensorArchive, path: String
  ) throws(RuntimeError) -> Description? {
    if let reason = WeightsFormat.reasonToRefuse(archive.metadata) {
      throw .modelFile(path: path, reason: reason)
    }
    do {
      if let text = archive.metadata[networkKey] {
        return Description(
          network: try JSONDecoder().decode(Network.self, from: Data(text.utf8)))
      }
      guard let text = archive.metadata[runKey] else { return nil }
      return try JSONDecoder().decode(Description.self, from: Data(text.utf8))
    } catch let error as NetworkError {
      throw .modelFile(path: path, reason: error.description)
    } catch {
      throw .modelFile(
        path: path,
        reason: "what it says of its network cannot be read (\(PackedDescription.reason(error)));"
          + " write it anew")
    }
  }

  /// Writes the file: to a temporary one first, then renamed. Tensors are stored in single
  /// precision; the counts of batches, which inference does not need, are left out.
  ///
  /// - Throws: `WeightsMismatchError` if the tensors are not those of the network, `TensorValueError`
  ///   for numbers that it cannot compute with, or an error that says why the file cannot be written.
  public func write(to path: String) throws {
    let checked = try CheckedWeights(weights, for: network).archive
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let text = String(decoding: try encoder.encode(network), as: UTF8.self)
    var archive = TensorArchive(
      metadata: WeightsFormat.entry.merging([Self.networkKey: text]) { $1 })
    for parameter in network.parameters where parameter.role != .batchCount {
      archive[parameter.name] = checked[parameter.name]
    }
    try Safetensors.write(try archive.convertingFloatingPoint(to: .float32), to: path)
  }
}
