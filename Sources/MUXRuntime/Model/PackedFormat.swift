// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
import MUXCore

/// The layout of a packed model file. All numbers are little-endian.
///
/// | bytes | what |
/// | --- | --- |
/// | 0 ..< 8 | ``signature`` |
/// | 8 ..< 12 | ``version`` |
/// | 12 ..< 16 | the number of variants, 1 ... 16 |
/// | 16 ..< 24 | the size of the file |
/// | 24 ..< 32 | the length of the description, JSON (``PackedDescription``) |
/// | 32 ..< 40 | where the index ends, which is where the description ends |
/// | 40 ..< 48 | zeros |
/// | 48 ..< 56 | zeros |
/// | 56 ..< 64 | the checksum of the bytes 0 ..< 56 and of the index after 64 |
///
/// The index: for each variant 40 bytes (lanes and number of entries, 32 bits each; where its table
/// begins; where its data begin; the data's length; the data's checksum), then the tables, one after
/// the other, 24 bytes an entry (its key; its offset in the data; its length), then the description.
/// The data of a variant begin at a multiple of 4096 bytes, each entry at a multiple of 64, variants and
/// entries in ascending order without overlap. Written first are the widest vectors, beside the index.
///
/// Version 1 holds weights in single precision. Version 2 may hold others: its description says which,
/// and has the calibration of 8 bits. Version 3 has the preparation of images in its description, which
/// versions 1 and 2 have in an entry of the metadata, if at all; it is what a program must not pass over.
/// Version 4 may name layers in its description whose products stay in single precision.
/// The lowest version that can say it is written, so that older programs read what they understand.
enum PackedFormat {
  /// Like PNG's: not text, and damaged by whatever changes line ends or drops the eighth bit.
  static let signature: [UInt8] = [0x89, 0x4d, 0x55, 0x58, 0x0d, 0x0a, 0x1a, 0x0a]
  static let versions: ClosedRange<UInt32> = 1...4
  static let headerSize = 64
  static let variantSize = 40
  static let entrySize = 24
  static let maximumVariants = 16
  static let pageSize = 4096
  static let alignment = 64

  /// A variant as the index describes it.
  struct Variant {
    var lanes: Int
    var entryCount: Int
    var table: Int
    var data: Range<Int>
    var checksum: UInt64
  }

  /// The version that weights of a precision need, a preparation of images, and layers that are kept.
  static func version(
    _ precision: Precision, hasPipeline: Bool, keepsLayers: Bool = false
  ) -> UInt32 {
    keepsLayers ? 4 : hasPipeline ? 3 : precision == .float32 ? 1 : 2
  }

  /// Whether a file begins as a packed model does.
  static func isPacked(_ file: ByteRegion) -> Bool {
    file.count >= signature.count && file[0..<signature.count].array == signature
  }

  /// The checksum of header and index.
  static func checksum(_ bytes: UnsafeRawBufferPointer, indexEnd: Int) -> UInt64 {
    guard let base = bytes.baseAddress else { return 0 }
    let head = mux_checksum(base, 56, 0)
    return mux_checksum(base + headerSize, indexEnd - headerSize, head)
  }
}

/// Reads numbers at offsets that may be anything.
struct PackedReader {
  let bytes: UnsafeRawBufferPointer

  /// The number at an offset; nil where it would not lie inside.
  func number<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type, _ offset: Int) -> Int?
  {
    guard let value = raw(type, offset) else { return nil }
    return Int(exactly: value)
  }

  func raw<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type, _ offset: Int) -> Value?
  {
    guard offset >= 0, bytes.count >= MemoryLayout<Value>.size,
      offset <= bytes.count - MemoryLayout<Value>.size
    else { return nil }
    return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
  }

  /// begin ..< begin + length, if that lies between two bounds.
  static func range(_ begin: Int, _ length: Int, within bounds: Range<Int>) -> Range<Int>? {
    guard begin >= bounds.lowerBound, length >= 0, begin <= bounds.upperBound,
      length <= bounds.upperBound - begin
    else { return nil }
    return begin..<begin + length
  }
}
