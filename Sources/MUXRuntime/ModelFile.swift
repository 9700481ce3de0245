// SPDX-License-Identifier: Apache-2.0
internal import Foundation
public import MUXInterchange
public import MUXNetworks

/// A network with its weights in one file: safetensors whose metadata holds the network.
///
/// The file is mapped into memory, and every claim in it is checked when it is opened.
public struct ModelFile: Sendable {
  /// The key of the metadata under which the network's JSON stands.
  public static let networkKey = "muxnet.network"

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
    guard let text = archive.metadata[Self.networkKey] else {
      throw RuntimeError.modelFile(
        path: path, reason: "it holds weights but no network; give the network beside it")
    }
    do {
      network = try JSONDecoder().decode(Network.self, from: Data(text.utf8))
    } catch let error as NetworkError {
      throw RuntimeError.modelFile(path: path, reason: error.description)
    } catch {
      throw RuntimeError.modelFile(path: path, reason: "its network is not readable; write it anew")
    }
    weights = archive
  }

  /// Writes the file: to a temporary one first, then renamed. Tensors are stored in single
  /// precision; the counts of batches, which inference does not need, are left out.
  public func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let text = String(decoding: try encoder.encode(network), as: UTF8.self)
    var archive = TensorArchive(metadata: [Self.networkKey: text])
    for parameter in network.parameters where parameter.role != .batchCount {
      archive[parameter.name] = weights[parameter.name]?.converted(to: .float32)
    }
    try Safetensors.write(archive, to: path)
  }
}

extension InferencePlan {
  /// Makes a plan of the model in a file: packed (``PackedModel``), or safetensors with the network
  /// inside (``ModelFile``).
  ///
  /// - Throws: ``RuntimeError``, `SafetensorsError` or `NetworkError`.
  public convenience init(
    model path: String, inputSize: ImageSize? = nil, instructionSet: InstructionSet? = nil
  ) throws {
    if PackedModel.isPacked(path) {
      try self.init(
        PackedModel(contentsOf: path), inputSize: inputSize, instructionSet: instructionSet)
      return
    }
    let model = try ModelFile(contentsOf: path)
    try self.init(
      model.network, weights: model.weights, inputSize: inputSize, instructionSet: instructionSet)
  }
}
