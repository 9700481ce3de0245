// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXPyTorch
import MUXWeights

/// A value of a checkpoint, to be pickled as `torch.save` does.
indirect enum Pickled {
  case integer(Int)
  case text(String)
  case dictionary([(String, Pickled)])
  /// A tensor of one row that lies in a storage of its own.
  case tensor([Float])
  /// A tensor of storage 0, with any offset, shape and strides.
  case view(count: Int, offset: Int = 0, shape: [Int], strides: [Int])
}

/// Builds PyTorch files around pickled values.
struct PickleBuilder {
  private(set) var bytes: [UInt8] = [0x80, 2]
  private(set) var storages: [[Float]]

  /// - Parameter storage: Storage 0, for views.
  init(storage: [Float] = [0]) { storages = [storage] }

  static func file(_ value: Pickled, storage: [Float] = [0]) throws -> ByteRegion {
    var builder = PickleBuilder(storage: storage)
    builder.add(value)
    return try builder.finished()
  }

  func finished() throws -> ByteRegion {
    try pyTorchFile(
      bytes + [UInt8(ascii: ".")],
      storages: storages.map { values in values.withUnsafeBytes { [UInt8]($0) } })
  }

  mutating func op(_ codes: String) { bytes += codes.utf8 }

  /// An instruction or an operand beyond ASCII.
  mutating func op(_ code: UInt8) { bytes.append(code) }

  /// Leaves out the content of a storage that tensors look into.
  mutating func empty(storage: Int) { storages[storage] = [] }

  mutating func add(_ value: Pickled) {
    switch value {
    case .integer(let number): add(number)
    case .text(let text): add(text)
    case .dictionary(let entries):
      op("}(")
      for (key, value) in entries {
        add(key)
        add(value)
      }
      op("u")
    case .tensor(let values):
      storages.append(values)
      addTensor(
        storage: storages.count - 1, count: values.count, offset: 0, shape: [values.count],
        strides: [1])
    case .view(let count, let offset, let shape, let strides):
      addTensor(storage: 0, count: count, offset: offset, shape: shape, strides: strides)
    }
  }

  private mutating func add(_ number: Int) {
    bytes += [0x8a, 8]
    withUnsafeBytes(of: Int64(number).littleEndian) { bytes += $0 }
  }

  private mutating func add(_ text: String) {
    op("X")
    withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { bytes += $0 }
    bytes += text.utf8
  }

  private mutating func addTensor(
    storage: Int, count: Int, offset: Int, shape: [Int], strides: [Int]
  ) {
    op("ctorch._utils\n_rebuild_tensor_v2\n((")
    add("storage")
    op("ctorch\nFloatStorage\n")
    add("\(storage)")
    add("cpu")
    add(count)
    op("tQ")
    add(offset)
    for values in [shape, strides] {
      op("(")
      for value in values { add(value) }
      op("t")
    }
    bytes.append(0x89)
    op("ccollections\nOrderedDict\n)RtR")
  }
}
