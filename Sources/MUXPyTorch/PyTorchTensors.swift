// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXWeights

/// Turns the tensors of a pickle into archived tensors over the bytes of their storages.
///
/// A few bytes of pickle make a tensor, and many tensors may look at one storage, with strides of 0
/// even many times at one element. So that a file cannot ask for more than it holds, its size bounds
/// the work: copies take at most ``copyAllowance`` bytes more than the file has, and all tensors
/// together, copied or not, at most ``sharing`` times its bytes and as much more. (Honest files share
/// a storage among a few tensors at most.)
struct PyTorchTensors {
  /// How often the bytes of a file may be looked at.
  static let sharing = 16
  /// The bytes beyond a file's own that small files may be expanded to.
  static let copyAllowance = 64 << 20

  let path: String
  /// The bytes of each storage, by key.
  let storages: [String: ByteRegion]
  private var copiedBytesLeft: Int
  private var bytesLeft: Int
  private var copies: [Copy: ByteRegion] = [:]

  /// Tensors that are equal have one copy.
  private struct Copy: Hashable {
    let storage: String
    let offset: Int
    let shape: [Int]
    let strides: [Int]
  }

  /// - Parameter fileSize: The bytes of the whole file.
  init(path: String, storages: [String: ByteRegion], fileSize: Int) {
    self.path = path
    self.storages = storages
    copiedBytesLeft = fileSize + Self.copyAllowance
    bytesLeft = Self.sharing * fileSize + Self.copyAllowance
  }

  /// The tensor in row-major order: a look into the file where it lies so already, else a copy.
  mutating func archived(
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
    bytesLeft -= byteCount
    guard bytesLeft >= 0 else {
      throw fail(
        "with those before it is more than \(Self.sharing) times as large as the file, which is refused"
      )
    }
    if isContiguous(tensor) {
      let start = tensor.offset * type.byteCount
      return ArchivedTensor(
        elementType: type, shape: tensor.shape, bytes: storage[start..<start + byteCount])
    }
    let copy = Copy(
      storage: tensor.storage.key, offset: tensor.offset, shape: tensor.shape,
      strides: tensor.strides)
    if let known = copies[copy] {
      return ArchivedTensor(elementType: type, shape: tensor.shape, bytes: known)
    }
    copiedBytesLeft -= byteCount
    guard copiedBytesLeft >= 0 else {
      throw fail("with those before it repeats storages beyond the file's size, which is refused")
    }
    let bytes = gathered(tensor, from: storage, byteCount: byteCount)
    copies[copy] = bytes
    return ArchivedTensor(elementType: type, shape: tensor.shape, bytes: bytes)
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
    // A side of 1 is never stepped along, so that its stride may be any number.
    let strides = zip(tensor.shape, tensor.strides).map { $0 == 1 ? 0 : $1 }
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
            position += strides[axis]
            if index[axis] < tensor.shape[axis] { break }
            position -= strides[axis] * tensor.shape[axis]
            index[axis] = 0
          }
        }
      }
    }
  }
}
