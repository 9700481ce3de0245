// SPDX-License-Identifier: Apache-2.0
import Foundation
public import MUXPyTorch
import MUXRuntime
public import MUXWeights

/// Weights wherever they come from: a file of any known format, the folder of a run, or the name of public
/// weights that were fetched.
public enum WeightsSource {
  /// The file or folder that a user means: a path, or the name of public weights.
  ///
  /// - Throws: ``PretrainedError`` for a name without a file that no weights have, or whose weights are not
  ///   in the cache.
  public static func resolve(_ text: String) throws(PretrainedError) -> String {
    let isName = !text.isEmpty && !text.contains { $0 == "/" || $0 == "." }
    guard isName, !FileManager.default.fileExists(atPath: text) else { return text }
    let catalogue = try PretrainedCatalogue.shipped()
    do { return try PretrainedCache.usual().path(catalogue.entry(named: text)) } catch {
      guard case .unknown(_, let nearest) = error else { throw error }
      throw .neither(text: text, nearest: nearest)
    }
  }

  /// Reads the tensors and the metadata, and says what was chosen and left out.
  ///
  /// - Parameters:
  ///   - path: A weights file, the name of public weights, or a run's folder, which stands for its best
  ///     weights.
  ///   - prefersAveraged: Whether a PyTorch checkpoint that holds averaged weights (`state_dict_ema` and
  ///     the like) beside the trained ones gives the former.
  ///   - key: The key of the state dict in a PyTorch checkpoint; nil chooses.
  public static func load(
    _ path: String, prefersAveraged: Bool = true, key: String? = nil
  ) throws -> WeightsFile {
    let path = try resolve(path)
    func read(_ file: String) throws -> WeightsFile {
      try WeightsFile.load(file, key: key, prefersAveraged: prefersAveraged)
    }
    let chosen = try file(of: path)
    if PackedModel.isPacked(chosen) { throw EvaluationError.packed(path: chosen) }
    do { return try read(chosen) } catch {
      // Other weights give other answers: who wants them has to say so.
      guard chosen != path, let last = try? RunFolder(existing: path).lastWeights, last != chosen,
        (try? read(last)) != nil
      else { throw error }
      throw CheckpointError.bestUnreadable(reason: "\(error)", last: last)
    }
  }

  /// The file that a path or a name of public weights stands for: itself, or the best weights of a run's
  /// folder.
  package static func file(of path: String) throws -> String {
    let path = try resolve(path)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
    else { return path }
    guard let run = try? RunFolder(existing: path) else { throw RunFolderError.noRun(path: path) }
    return FileManager.default.fileExists(atPath: run.bestWeights)
      ? run.bestWeights : run.lastWeights
  }

  /// Reads the tensors and the metadata.
  public static func read(
    _ path: String, prefersAveraged: Bool = true, key: String? = nil
  ) throws -> TensorArchive {
    try load(path, prefersAveraged: prefersAveraged, key: key).archive
  }
}
