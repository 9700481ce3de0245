// SPDX-License-Identifier: Apache-2.0
internal import Foundation
public import MUXNetworks
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

  /// The network.
  public let network: Network
  /// Its tensors.
  public let weights: TensorArchive

  /// A model from its parts.
  public init(_ network: Network, weights: TensorArchive) {
    self.network = network
    self.weights = weights
  }

  /// Opens a model file.
  ///
  /// - Throws: ``RuntimeError/modelFile(path:reason:)`` or `SafetensorsError`.
  public init(contentsOf path: String) throws {
    let archive = try Safetensors.read(path)
    guard let network = try Self.network(of: archive, path: path) else {
      throw RuntimeError.modelFile(
        path: path,
        reason: "it holds weights but no network; make one that does with muxnet convert")
    }
    self.network = network
    weights = archive
  }

  /// The network in the metadata of a model file's tensors; nil for other files. `path` is for
  /// messages.
  package static func network(
    of archive: TensorArchive, path: String
  ) throws(RuntimeError) -> Network? {
    struct Run: Decodable { var network: Network }
    if let reason = WeightsFormat.reasonToRefuse(archive.metadata) {
      throw .modelFile(path: path, reason: reason)
    }
    do {
      if let text = archive.metadata[networkKey] {
        return try JSONDecoder().decode(Network.self, from: Data(text.utf8))
      }
      guard let text = archive.metadata[runKey] else { return nil }
      return try JSONDecoder().decode(Run.self, from: Data(text.utf8)).network
    } catch let error as NetworkError {
      throw .modelFile(path: path, reason: error.description)
    } catch {
      throw .modelFile(path: path, reason: "its network is not readable; write it anew")
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

extension InferencePlan {
  /// Makes a plan of the model in a file: packed (``PackedModel``), or safetensors with the network
  /// inside (``ModelFile``).
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - inputSize: The size of the images; nil takes the network's own.
  ///   - instructionSet: The kernels' variant; nil takes the best one here.
  ///   - precision: What products are made of; nil takes what a packed file is for, else single
  ///     precision. 8 bits are for packed files (`muxnet quantize`), which hold the calibration.
  /// - Throws: ``RuntimeError``, `SafetensorsError` or `NetworkError`.
  public convenience init(
    model path: String, inputSize: ImageSize? = nil, instructionSet: InstructionSet? = nil,
    precision: Precision? = nil
  ) throws {
    if PackedModel.isPacked(path) {
      try self.init(
        PackedModel(contentsOf: path), inputSize: inputSize, instructionSet: instructionSet,
        precision: precision)
      return
    }
    let model = try ModelFile(contentsOf: path)
    try self.init(
      CheckedWeights(model.weights, for: model.network, path: path), inputSize: inputSize,
      instructionSet: instructionSet, precision: precision ?? .float32)
  }
}
