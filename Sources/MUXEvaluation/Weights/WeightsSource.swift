// SPDX-License-Identifier: Apache-2.0
import Foundation
public import MUXPyTorch
public import MUXWeights

/// Weights wherever they come from: a file of any known format, or the folder of a run.
public enum WeightsSource {
  /// Reads the tensors and the metadata, and says what was chosen and left out.
  ///
  /// - Parameters:
  ///   - path: A weights file, or a run's folder, which stands for its best weights.
  ///   - prefersAveraged: Whether a PyTorch checkpoint that holds averaged weights (`state_dict_ema` and the like)
  ///     beside the trained ones gives the former.
  ///   - key: The key of the state dict in a PyTorch checkpoint; nil chooses.
  public static func load(
    _ path: String, prefersAveraged: Bool = true, key: String? = nil
  ) throws -> WeightsFile {
    var file = path
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      let run = try RunFolder(existing: path)
      file =
        FileManager.default.fileExists(atPath: run.bestWeights) ? run.bestWeights : run.lastWeights
    }
    return try WeightsFile.load(file, key: key, prefersAveraged: prefersAveraged)
  }

  /// Reads the tensors and the metadata.
  public static func read(
    _ path: String, prefersAveraged: Bool = true, key: String? = nil
  ) throws -> TensorArchive {
    try load(path, prefersAveraged: prefersAveraged, key: key).archive
  }
}
