// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// Turns the tensors of a pickle into archived tensors over the bytes of their storages.
struct PyTorchTensors {
  let path: String
  /// The bytes of each storage, by key.
  let storages: [String: ByteRegion]

  /// The tensor in row-major order: a look into the file where it lies so already, else a copy.
  func archived(
    _ tensor: PickleTensor, name: String
  ) throws(PyTorchFileError) -> ArchivedTensor {
    func fail(_ what: String) -> PyTorchFileError { PyTorchFileError(path, name, .tensor(what)) }
    let type = tensor.storage.elementType
    guard let storage = storages[tensor.storage.key] else {
      throw fail("its storage “\(tensor.storage.key)” is missing")
    }
    guard tensor.shape.count == tensor.strides.count, tensor.shape.count <= 64 else {
      throw fail("\(tensor.shape.count) sizes but \(tensor.strides.count) strides")
    }
    guard let byteCount = type.byteCount(ofShape: tensor.shape) else {
      throw fail("its shape \(tensor.shape) is not possible")
    }
    guard let storageBytes = type.byteCount(ofShape: [tensor.storage.count]),
      storageBytes <= storage.count
    else {
      throw fail(
        "its storage claims \(tensor.storage.count) elements but has \(storage.count) bytes")
    }
    guard let last = lastElement(tensor), last < tensor.storage.count else {
      throw fail(
        "offset \(tensor.offset), shape \(tensor.shape) and strides \(tensor.strides) reach "
          + "outside its storage of \(tensor.storage.count) elements")
    }
    if byteCount == 0 {
      return ArchivedTensor(elementType: type, shape: tensor.shape, bytes: ByteRegion([]))
    }
    if isContiguous(tensor) {
      let start = tensor.offset * type.byteCount
      return ArchivedTensor(
        elementType: type, shape: tensor.shape, bytes: storage[start..<start + byteCount])
    }
    // A stride of 0 repeats elements: without a bound a few bytes could ask for all memory.
    guard byteCount <= max(storageBytes, 64 << 20) else {
      throw fail("it repeats its storage to \(byteCount) bytes, which is refused")
    }
    return ArchivedTensor(
      elementType: type, shape: tensor.shape,
      bytes: gathered(tensor, from: storage, byteCount: byteCount))
  }

  /// The storage index of the tensor's last element, -1 for an empty tensor; nil if an index is
  /// negative or overflows.
  private func lastElement(_ tensor: PickleTensor) -> Int? {
    guard tensor.offset >= 0 else { return nil }
    if tensor.shape.contains(0) { return -1 }
    var last = tensor.offset
    for (size, stride) in zip(tensor.shape, tensor.strides) {
      guard size > 0, stride >= 0 else { return nil }
      let (span, spanOverflow) = (size - 1).multipliedReportingOverflow(by: stride)
      let (sum, sumOverflow) = last.addingReportingOverflow(span)
      if spanOverflow || sumOverflow { return nil }
      last = sum
    }
    return last
  }

  private func isContiguous(_ tensor: PickleTensor) -> Bool {
    var expected = 1
    for (size, stride) in zip(tensor.shape, tensor.strides).reversed() where size != 1 {
      if stride != expected { return false }
      expected *= size
    }
    return true
  }

  private func gathered(
    _ tensor: PickleTensor, from storage: ByteRegion, byteCount: Int
  ) -> ByteRegion {
    let width = tensor.storage.elementType.byteCount
    return ByteRegion(count: byteCount) { target in
      storage.withUnsafeBytes { source in
        var index = [Int](repeating: 0, count: tensor.shape.count)
        var position = tensor.offset
        for element in 0..<byteCount / width {
          let from = position * width
          for byte in 0..<width { target[element * width + byte] = source[from + byte] }
          // Advance the index like an odometer, the last dimension fastest.
          for axis in index.indices.reversed() {
            index[axis] += 1
            position += tensor.strides[axis]
            if index[axis] < tensor.shape[axis] { break }
            position -= tensor.strides[axis] * tensor.shape[axis]
            index[axis] = 0
          }
        }
      }
    }
  }
}
