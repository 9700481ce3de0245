// SPDX-License-Identifier: Apache-2.0
import MUXEvaluation
import MUXTensor
import MUXWeights

extension TensorArchive {
  /// An archive with copies of tensors, from any device.
  init(_ tensors: [NamedTensor], metadata: [String: String] = [:]) throws {
    self.init(metadata: metadata)
    for entry in tensors {
      self[entry.name] = try ArchivedTensor(entry.tensor)
    }
  }

  /// Copies the archive's elements into tensors of the same names, types and shapes; all of them
  /// must be there and no others.
  func copy(into tensors: [NamedTensor], path: String) throws {
    var unused = Set(names)
    for entry in tensors {
      guard let archived = self[entry.name] else {
        throw CheckpointError.mismatch(path: path, reason: "it lacks \(entry.name)")
      }
      unused.remove(entry.name)
      let tensor = entry.tensor
      guard archived.shape == tensor.shape, archived.elementType == ElementType(tensor.dtype) else {
        throw CheckpointError.mismatch(
          path: path,
          reason: "\(entry.name) is \(archived.elementType.rawValue)\(archived.shape) instead of"
            + " \(tensor)")
      }
      let copy = try Tensor.copy(of: archived)
      try withoutGradient { () throws(TorchError) in try tensor.copyInPlace(from: copy) }
    }
    guard unused.isEmpty else {
      throw CheckpointError.mismatch(
        path: path, reason: "it has \(unused.sorted().prefix(3).joined(separator: ", ")) too many")
    }
  }
}
