// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// What can go wrong in an export.
public enum ONNXExportError: Error, Sendable, Hashable {
  /// A layer that an ONNX file cannot say.
  case unsupported(layer: String, reason: String)
  /// A number of images that is no batch.
  case batch(Int)
  /// The metadata of a weights file that cannot be read.
  case metadata(key: String, reason: String)
  /// Post-processing that does not fit the model.
  case postProcessing(String)
  /// A file that is no ONNX model.
  case file(path: String, reason: String)
}

extension ONNXExportError: DescribedError {
  /// One line: what is wrong, where, and how to fix it.
  public var description: String {
    switch self {
    case .unsupported(let layer, let reason):
      "layer '\(layer)' cannot be exported to ONNX: \(reason)"
    case .batch(let count): "a batch needs at least one image, not \(count); or make it dynamic"
    case .metadata(let key, let reason):
      "the weights' metadata '\(key)' cannot be read: \(reason); give the network by name or file"
    case .postProcessing(let reason): reason
    case .file(let path, let reason): "\(path): \(reason)"
    }
  }
}
