// SPDX-License-Identifier: Apache-2.0
import MUXInterchange
import MUXTensor

extension DType {
  /// The type's name in files; nil where files have none.
  var elementType: ElementType {
    switch self {
    case .float64: .float64
    case .float32: .float32
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .int64: .int64
    case .int32: .int32
    case .int16: .int16
    case .int8: .int8
    case .uint8: .uint8
    case .bool: .bool
    }
  }
}

extension TensorArchive {
  /// An archive with copies of tensors, from any device.
  init(_ tensors: [NamedTensor], metadata: [String: String] = [:]) throws {
    self.init(metadata: metadata)
    for entry in tensors {
      let tensor = entry.tensor
      let bytes = try ByteRegion(count: tensor.count * tensor.dtype.size) { buffer in
        try tensor.copyBytes(to: buffer)
      }
      self[entry.name] = ArchivedTensor(
        elementType: tensor.dtype.elementType, shape: tensor.shape, bytes: bytes)
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
      guard archived.shape == tensor.shape, archived.elementType == tensor.dtype.elementType else {
        throw CheckpointError.mismatch(
          path: path,
          reason: "\(entry.name) is \(archived.elementType.rawValue)\(archived.shape) instead of"
            + " \(tensor.dtype.elementType.rawValue)\(tensor.shape)")
      }
      let copy = try archived.bytes.withUnsafeBytes { bytes in
        try Tensor(bytes: bytes, shape: archived.shape, dtype: tensor.dtype)
      }
      try withoutGradient { () throws(TorchError) in try tensor.copyInPlace(from: copy) }
    }
    guard unused.isEmpty else {
      throw CheckpointError.mismatch(
        path: path, reason: "it has \(unused.sorted().prefix(3).joined(separator: ", ")) too many")
    }
  }
}
