// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXImages

/// Why trained weights cannot be used on some images.
public enum EvaluationError: Hashable, Sendable, DescribedError {
  /// The weights are packed for the runtime, and something else was asked for.
  case packed(path: String)
  /// A network gave something that is infinite or not a number: which network, and for what.
  case notFinite(network: String, what: String)
  /// 8 bits were asked for of weights that have no calibration.
  case uncalibrated(path: String)
  /// A list of classes has a line without a name.
  case emptyName(path: String, line: Int)
  /// Crops at the corners need an image that is larger than the network's input.
  case noMargin(pipeline: String)
  /// The data is divided into parts and lacks the one that was asked for.
  case noPart(path: String, folder: String, part: DataPart, present: [DataPart])

  /// One line: what, where, how to fix.
  public var description: String {
    switch self {
    case .packed(let path):
      "\(path) is packed for the runtime, which keeps the network but not its original weights;"
        + " give the file it was made from: a .safetensors or PyTorch file, or the folder of a run"
    case .notFinite(let network, let what):
      "the network '\(network)' gives numbers that are infinite or not a number for \(what); its weights"
        + " or the precision cannot take such images, so look at the outputs of its layers"
    case .uncalibrated(let path):
      "\(path) has no calibration, which 8 bits need; quantize the weights, which calibrates them"
    case .emptyName(let path, let line):
      "\(path):\(line): the line is empty; write one class name on each line"
    case .noMargin(let pipeline):
      "ten crops need a margin around the network's input, but its images are prepared by \(pipeline);"
        + " average over flips instead"
    case .noPart(let path, let folder, let part, let present):
      "\(path): there is no folder '\(folder)' of \(part.rawValue) images, only"
        + " \(present.map(\.rawValue).joined(separator: " and ")) images; choose another part, or"
        + " name the folder with data.\(part.rawValue)Folder"
    }
  }
}
