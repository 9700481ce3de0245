// SPDX-License-Identifier: Apache-2.0
import MUXCore
public import MUXWeights

extension PyTorchFile {
  /// Writes an archive as a state dict that `torch.load` reads (also with `weights_only=True`).
  ///
  /// The archive's metadata has no place in a state dict and is left out.
  public static func write(_ archive: TensorArchive, to path: String) throws(PyTorchFileError) {
    var zip = ZipWriter()
    do {
      try zip.add("archive/data.pkl", ByteRegion(pickle(archive)))
      try zip.add("archive/byteorder", ByteRegion("little".utf8))
      for (index, entry) in archive.enumerated() {
        try zip.add("archive/data/\(index)", entry.tensor.bytes)
      }
      try zip.add("archive/version", ByteRegion("3\n".utf8))
    } catch {
      throw PyTorchFileError(
        path, nil, .unsupported("too large for this format (4 GiB); write safetensors instead"))
    }
    do {
      var file = try AtomicFile(path: path)
      for part in zip.finished() { try file.write(part) }
      try file.commit()
    } catch {
      throw PyTorchFileError(path, nil, .file(error))
    }
  }

  private static func pickle(_ archive: TensorArchive) -> [UInt8] {
    var pickle = PickleWriter()
    pickle.orderedDictionary()
    pickle.op("(")
    for (index, entry) in archive.enumerated() {
      let tensor = entry.tensor
      pickle.text(entry.name)
      pickle.global("torch._utils", "_rebuild_tensor_v2")
      pickle.op("(")
      pickle.op("(")
      pickle.text("storage")
      pickle.global("torch", storageName(tensor.elementType))
      pickle.text("\(index)")
      pickle.text("cpu")
      pickle.integer(tensor.count)
      pickle.op("tQ")
      pickle.integer(0)
      pickle.tuple(tensor.shape)
      pickle.tuple(rowMajorStrides(tensor.shape))
      pickle.boolean(false)
      pickle.orderedDictionary()
      pickle.op("tR")
    }
    pickle.op("u.")
    return pickle.bytes
  }

  private static func rowMajorStrides(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      // Of a tensor without elements the other sides may be of any size.
      let (product, overflow) = strides[axis + 1].multipliedReportingOverflow(
        by: max(shape[axis + 1], 1))
      strides[axis] = overflow ? 1 : product
    }
    return strides
  }

  private static func storageName(_ type: ElementType) -> String {
    switch type {
    case .float64: "DoubleStorage"
    case .float32: "FloatStorage"
    case .float16: "HalfStorage"
    case .bfloat16: "BFloat16Storage"
    case .int64: "LongStorage"
    case .int32: "IntStorage"
    case .int16: "ShortStorage"
    case .int8: "CharStorage"
    case .uint8: "ByteStorage"
    case .bool: "BoolStorage"
    }
  }
}

/// Writes the few instructions of pickle's protocol 2 that a state dict takes.
private struct PickleWriter {
  private(set) var bytes: [UInt8] = [0x80, 2]

  /// Instructions without operands, one character each.
  mutating func op(_ codes: String) { bytes += codes.utf8 }

  mutating func text(_ text: String) {
    op("X")
    bytes.append(littleEndian: UInt32(text.utf8.count))
    bytes += text.utf8
  }

  mutating func integer(_ value: Int) {
    if let small = Int32(exactly: value) {
      op("J")
      bytes.append(littleEndian: small)
    } else {
      bytes += [0x8a, 8]
      bytes.append(littleEndian: Int64(value))
    }
  }

  mutating func boolean(_ value: Bool) { bytes.append(value ? 0x88 : 0x89) }

  mutating func tuple(_ values: [Int]) {
    op("(")
    for value in values { integer(value) }
    op("t")
  }

  mutating func global(_ module: String, _ name: String) { op("c\(module)\n\(name)\n") }

  mutating func orderedDictionary() {
    global("collections", "OrderedDict")
    op(")R")
  }
}
