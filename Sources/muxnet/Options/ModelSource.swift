// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXEvaluation
import MUXNetworkFiles
import MUXNetworks
import MUXPyTorch
import MUXRuntime

/// What the model that a command is given stands for: every command that takes a model takes all of
/// these.
enum ModelSource {
  /// A name of the zoo, a block-string file or a network file.
  case network(Network)
  /// A file of weights that holds its network, or the folder of a run.
  case weights(TrainedWeights)
  /// A file that is packed for the runtime.
  case packed(PackedModel)

  init(_ options: ModelOptionGroup) throws {
    try self.init(options.model, options.changes.options)
  }

  /// - Parameters:
  ///   - changes: What is changed in a network; trained and packed ones stay as they are.
  ///   - key: The key of the state dict in a PyTorch checkpoint.
  init(_ model: String, _ changes: ModelOptions, key: String? = nil) throws {
    if PackedModel.isPacked(model) {
      guard changes == ModelOptions() else {
        throw ValidationError("a packed model cannot be changed; convert its weights again")
      }
      if let key { throw WeightsFileError(path: model, key: key, kind: "a packed file") }
      self = .packed(try PackedModel(contentsOf: model))
    } else if Self.isWeights(model) {
      guard changes == ModelOptions() else {
        throw ValidationError("trained weights cannot be changed; name a network for others")
      }
      do {
        self = .weights(try TrainedWeights(path: model, key: key))
      } catch let error as CheckpointError {
        guard case .mismatch(let path, _) = error else { throw error }
        throw CommandError(
          "\(path) does not say which network it is for; name that network instead")
      }
    } else {
      if let key { throw WeightsFileError(path: model, key: key, kind: "a network") }
      self = .network(try NetworkFile.resolve(model, options: changes))
    }
  }

  /// The network, whatever it came from.
  var network: Network {
    switch self {
    case .network(let network): network
    case .weights(let trained): trained.network
    case .packed(let model): model.network
    }
  }

  /// Whether a path is a file of weights, or the folder of a run, and no network's name or file.
  static func isWeights(_ path: String) -> Bool {
    guard FileManager.default.fileExists(atPath: path),
      ![.json, .yaml].contains(ConvertFormat(ending: path))
    else { return false }
    return path.contains("/") || (try? ModelZoo.network(named: path)) == nil
  }
}
