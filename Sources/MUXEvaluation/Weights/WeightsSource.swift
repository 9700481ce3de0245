// SPDX-License-Identifier: Apache-2.0
import Foundation
public import MUXInterchange

/// Weights wherever they come from: a file of any known format, or the folder of a run.
public enum WeightsSource {
  /// Reads the tensors and the metadata.
  ///
  /// - Parameters:
  ///   - path: A weights file, or a run's folder, which stands for its best weights.
  ///   - prefersAveraged: Whether a PyTorch checkpoint that holds averaged weights (`state_dict_ema`)
  ///     beside the trained ones gives the former.
  ///   - key: The key of the state dict in a PyTorch checkpoint; nil chooses.
  public static func read(
    _ path: String, prefersAveraged: Bool = true, key: String? = nil
  ) throws -> TensorArchive {
    var file = path
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      let run = try RunFolder(existing: path)
      file =
        FileManager.default.fileExists(atPath: run.bestWeights) ? run.bestWeights : run.lastWeights
    }
    if let key { return try WeightsFile.load(file, key: key).archive }
    if !prefersAveraged, [".pth", ".pt", ".tar"].contains(where: file.hasSuffix),
      let raw = try? WeightsFile.load(file, key: "state_dict")
    {
      return raw.archive
    }
    return try WeightsFile.load(file).archive
  }
}
