// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXTestSupport
import MUXWeights
import Testing

@Suite("Safetensors")
struct SafetensorsTests {
  private func reason(_ file: ByteRegion) -> SafetensorsFault? {
    do {
      _ = try Safetensors.read(file, path: "file")
      return nil
    } catch { return error.reason }
  }

  @Test("What is written is read back exactly: names, order, types, shapes, bytes, metadata")
  func roundTrip() throws {
    let folder = try TemporaryFolder()
    var archive = TensorArchive(metadata: ["format": "pt", "quote\"": "line\nü\u{1}"])
    archive["blocks.0.0/weights “é”\u{1F600}"] = ArchivedTensor(
      [1, -2, 3.5, 0, 5, 6], shape: [2, 3])
    archive["steps"] = ArchivedTensor(integers: [Int64.max, -1], shape: [2])
    archive["scalar"] = ArchivedTensor([Float(7)], shape: [])
    archive["empty"] = ArchivedTensor([Float](), shape: [0, 4])
    archive["flags"] = ArchivedTensor(
      elementType: .bool, shape: [3], bytes: ByteRegion([1, 0, 1]))
    try Safetensors.write(archive, to: folder("a.safetensors"))
    let copy = try Safetensors.read(folder("a.safetensors"))
    #expect(copy.metadata == archive.metadata)
    #expect(Set(copy.names) == Set(archive.names))
    for (name, tensor) in archive {
      let other = try #require(copy[name])
      #expect(other.elementType == tensor.elementType)
      #expect(other.shape == tensor.shape)
      #expect(other.bytes.array == tensor.bytes.array)
    }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.safetensors"])
  }

  @Test("The header is padded to 8 bytes and each tensor lies at a multiple of its element size")
  func alignment() throws {
    var archive = TensorArchive()
    archive["bytes"] = ArchivedTensor(
      elementType: .uint8, shape: [3], bytes: ByteRegion([1, 2, 3]))
    archive["floats"] = ArchivedTensor([1], shape: [1])
    archive["wide"] = ArchivedTensor(integers: [Int64(9)], shape: [1])
    let bytes = try Safetensors.bytes(of: archive)
    let length = Int(bytes[0]) + Int(bytes[1]) << 8
    #expect(length % 8 == 0)
    #expect(bytes.count == 8 + length + 8 + 4 + 3)
    #expect(
      bytes[(8 + length)...].elementsEqual([9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x3f, 1, 2, 3]))
  }

  @Test("A tensor stays readable after its archive and its file are gone")
  func mappingOutlivesArchive() throws {
    let tensor: ArchivedTensor
    do {
      let folder = try TemporaryFolder()
      var archive = TensorArchive()
      archive["x"] = ArchivedTensor((0..<5000).map(Float.init), shape: [5000])
      try Safetensors.write(archive, to: folder("x.safetensors"))
      tensor = try #require(try Safetensors.read(folder("x.safetensors"))["x"])
    }
    #expect(tensor.floats[4999] == 4999)
  }

  @Test("Narrow and wide types become Float by value")
  func conversions() throws {
    func floats(_ type: ElementType, _ bytes: [UInt8]) -> [Float] {
      ArchivedTensor(
        elementType: type, shape: [bytes.count / type.byteCount], bytes: ByteRegion(bytes)
      ).floats
    }
    // 1, −2, 65504, 2⁻²⁴, ∞ in half precision.
    #expect(
      floats(.float16, [0, 0x3c, 0, 0xc0, 0xff, 0x7b, 1, 0, 0, 0x7c])
        == [1, -2, 65504, 0x1p-24, .infinity])
    #expect(floats(.bfloat16, [0x80, 0x3f, 0x49, 0xc0]) == [1, -3.140625])
    #expect(floats(.float64, [0, 0, 0, 0, 0, 0, 0xf8, 0x3f]) == [1.5])
    #expect(floats(.int8, [0xff, 2]) == [-1, 2])
    let values: [Float] = [0, 1, -1.5, 65504, 65520, 0x1p-24, 0x1.8p-25, 2049, 1e-9]
    let halves = ArchivedTensor(values, shape: [9]).converted(to: .float16).floats
    #expect(halves == [0, 1, -1.5, 65504, .infinity, 0x1p-24, 0x1p-24, 2048, 0])
    let brain = ArchivedTensor([1.00390625, 3], shape: [2]).converted(to: .bfloat16).floats
    #expect(brain == [1, 3])
  }

  @Test("Half precision survives a round trip for every number")
  func everyHalf() {
    let bits = (0...UInt16.max).filter { $0 & 0x7c00 != 0x7c00 || $0 & 0x3ff == 0 }
    let tensor = ArchivedTensor(
      elementType: .float16, shape: [bits.count], bytes: ByteRegion(copyingMemoryOf: bits))
    let again = ArchivedTensor(tensor.floats, shape: tensor.shape).converted(to: .float16)
    #expect(again.bytes.array == tensor.bytes.array)
  }

  @Test("A file that is cut off anywhere is refused")
  func truncation() throws {
    var archive = TensorArchive()
    archive["a"] = ArchivedTensor([1, 2, 3], shape: [3])
    let bytes = try Safetensors.bytes(of: archive)
    for length in 0..<bytes.count {
      #expect(reason(ByteRegion(bytes[..<length])) != nil, "cut to \(length) bytes")
    }
    #expect(reason(ByteRegion(bytes)) == nil)
  }

  @Test("A header longer than the file, or than any header, is refused")
  func hugeHeader() {
    #expect(reason(safetensors("{}", claimedLength: .max)) == .headerLength(.max, available: 2))
    #expect(reason(safetensors("{}", claimedLength: 3)) == .headerLength(3, available: 2))
    #expect(reason(ByteRegion([1, 2, 3])) == .tooShort(byteCount: 3))
  }

  @Test("Offsets beyond the data, reversed or negative are refused")
  func offsets() {
    func file(_ offsets: String) -> ByteRegion {
      safetensors(
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[\#(offsets)]}}"#, data: [0, 0, 0, 0])
    }
    #expect(reason(file("0,4")) == nil)
    #expect(reason(file("4,8")) == .outOfBounds(begin: 4, end: 8, available: 4))
    #expect(reason(file("4,0")) == .outOfBounds(begin: 4, end: 0, available: 4))
    #expect(
      reason(file("0,9223372036854775807"))
        == .outOfBounds(begin: 0, end: .max, available: 4))
    for text in ["-4,0", "0,4,8", "0", "0.0,4.0", "0,99999999999999999999", "\"0\",4"] {
      #expect(reason(file(text)) != nil, "\(text)")
    }
  }

  @Test("Overlaps and gaps are refused")
  func overlapsAndGaps() {
    func file(_ first: String, _ second: String, bytes: Int) -> ByteRegion {
      safetensors(
        #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[\#(first)]},"#
          + #""b":{"dtype":"U8","shape":[2],"data_offsets":[\#(second)]}}"#,
        data: [UInt8](repeating: 0, count: bytes))
    }
    #expect(reason(file("2,4", "0,2", bytes: 4)) == nil)
    #expect(reason(file("0,2", "1,3", bytes: 3)) == .overlap(with: "a"))
    #expect(reason(file("0,2", "3,5", bytes: 5)) == .gap(begin: 2, end: 3))
    #expect(reason(file("0,2", "2,4", bytes: 6)) == .gap(begin: 4, end: 6))
  }

  @Test("An unknown type, a wrong length or a shape that overflows is refused")
  func typesAndShapes() {
    func file(_ type: String, _ shape: String) -> ByteRegion {
      safetensors(
        #"{"a":{"dtype":"\#(type)","shape":[\#(shape)],"data_offsets":[0,4]}}"#,
        data: [0, 0, 0, 0])
    }
    #expect(reason(file("F32", "1")) == nil)
    #expect(reason(file("F7", "1")) == .elementType("F7"))
    #expect(reason(file("I64", "1")) == .length(expected: 8, actual: 4))
    #expect(reason(file("F32", "")) == nil)
    #expect(
      reason(file("F32", "4611686018427387904,4")) == .shape([4_611_686_018_427_387_904, 4]))
    #expect(reason(file("F32", "-1")) != nil)
    // The product of the sizes must not wrap round to the right number.
    #expect(reason(file("F32", "4294967296,4294967296,1")) != nil)
  }

  @Test(
    "A header that is not the JSON of the format is refused",
    arguments: [
      "", "[]", "{", "{}x", #"{"a":1}"#, #"{"a":{}}"#, #"{"__metadata__":{"a":1}}"#,
      #"{"__metadata__":[]}"#, #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}}"#,
      #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#,
      String(repeating: "[", count: 100_000), #"{"a\ud800":1}"#, "{\"a\n\":1}",
    ])
  func badHeader(text: String) {
    let found = reason(safetensors(text))
    guard case .header = found else {
      Issue.record("\(String(describing: found))")
      return
    }
  }

  @Test("Errors are one line and name the file and the tensor")
  func messages() {
    let file = safetensors(#"{"conv.weight":{"dtype":"F7","shape":[1],"data_offsets":[0,0]}}"#)
    #expect {
      _ = try Safetensors.read(file, path: "net.safetensors")
    } throws: { error in
      let text = "\(error)"
      return text.hasPrefix("net.safetensors: tensor “conv.weight”: ") && !text.contains("\n")
    }
    #expect {
      _ = try Safetensors.read("missing.safetensors")
    } throws: { "\($0)" == "cannot open missing.safetensors: No such file or directory" }
  }

  @Test("The authors' files are read", .enabled(if: Reference.isPresent, "\(Shared.absent)"))
  func referenceFiles() throws {
    let block = try Safetensors.read(Reference.path("mux_block-c40-l0.25-group2.safetensors"))
    #expect(block.metadata["format"] == "pt")
    #expect(block.metadata["args"]?.contains("\"dw_group_factor\": 2") == true)
    #expect(block["input"]?.shape == [2, 40, 14, 14])
    #expect(block["state.bn1.num_batches_tracked"]?.elementType == .int64)
  }
}
