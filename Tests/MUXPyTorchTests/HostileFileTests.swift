// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXPyTorch
import MUXTestSupport
import MUXWeights
import Testing

@Suite("Files that ask for more than they hold")
struct HostileFileTests {
  private func reason(_ file: ByteRegion) -> PyTorchFileFault? {
    do {
      _ = try PyTorchFile.read(file, path: "file.pth")
      return nil
    } catch { return error.reason }
  }

  private func says(_ file: ByteRegion, _ words: String) -> Bool {
    do {
      _ = try PyTorchFile.read(file, path: "file.pth")
      return false
    } catch { return error.description.contains(words) }
  }

  @Test("A side of 1 may have any stride, as nothing steps along it")
  func strideOfOneElement() throws {
    for stride in [0, 1, 5, 1 << 62, Int.max] {
      let file = try PickleBuilder.file(
        .dictionary([
          ("a", .view(count: 4, offset: 1, shape: [1, 3, 1], strides: [stride, 1, stride])),
          ("b", .view(count: 4, offset: 0, shape: [2, 1, 2], strides: [1, stride, 2])),
        ]), storage: [1, 2, 3, 4])
      let archive = try PyTorchFile.read(file, path: "f").archive
      #expect(archive["a"]?.floats == [2, 3, 4])
      #expect(archive["b"]?.floats == [1, 3, 2, 4])
    }
  }

  /// Tensors over one storage of 4 MiB: of such a file all tensors together may have 16 times its
  /// size and 64 MiB more, and copies its size and 64 MiB more.
  private func views(_ entries: [(shape: [Int], strides: [Int])]) throws -> ByteRegion {
    try PickleBuilder.file(
      .dictionary(
        entries.enumerated().map { index, entry in
          ("t\(index)", .view(count: 1 << 20, shape: entry.shape, strides: entry.strides))
        }), storage: Array(repeating: 1, count: 1 << 20))
  }

  @Test("Strides of 0 repeat elements up to a bound for all tensors together, not for each")
  func manyCopies() throws {
    // 1 MiB, then 68 MiB: the second alone was allowed once.
    #expect(
      says(
        try views([([1 << 18], [0]), ([17 << 20], [0])]), "repeats storages beyond the file's size")
    )
    let small = try PickleBuilder.file(
      .dictionary([
        ("a", .view(count: 1, shape: [1 << 10], strides: [0])),
        ("b", .view(count: 1, shape: [1 << 24], strides: [0])),
      ]))
    #expect(says(small, "repeats storages beyond the file's size"))
  }

  @Test("Equal copies are one, and whole storages are shared a few times only")
  func manyViews() throws {
    // 80 copies of 1 MiB would be more than 68 MiB.
    let equal = try views(Array(repeating: ([1 << 18], [0]), count: 80))
    #expect(try PyTorchFile.read(equal, path: "f").archive.count == 80)
    // Honest where a weight is tied, not hundreds of times.
    #expect(reason(try views(Array(repeating: ([1 << 20], [1]), count: 10))) == nil)
    #expect(
      says(
        try views(Array(repeating: ([1 << 20], [1]), count: 200)), "times as large as the file"))
  }

  @Test("A list that many ordered dictionaries get is copied at most as far as the file is long")
  func sharedLists() throws {
    func file(dictionaries: Int) throws -> ByteRegion {
      var builder = PickleBuilder()
      // A list of 2,000 pairs, remembered as 1, then a tuple of it, remembered as 2.
      builder.op("](")
      for _ in 0..<2000 {
        builder.op("K\u{1}K\u{2}")
        builder.op(UInt8(0x86))
      }
      builder.op("e")
      builder.op(UInt8(0x85))
      builder.op(UInt8(ascii: "q"))
      builder.op(UInt8(2))
      for _ in 0..<dictionaries {
        builder.op("ccollections\nOrderedDict\nh\u{2}R0")
      }
      return try builder.finished()
    }
    #expect(says(try file(dictionaries: 2000), "copied into many dictionaries"))
    // The form of Python 2 gives each list to one dictionary.
    #expect(!says(try file(dictionaries: 1), "copied into many dictionaries"))
  }

  @Test("A long list of sides is not copied for each tensor that names it")
  func sharedShapes() throws {
    var builder = PickleBuilder()
    builder.add(.dictionary([]))
    builder.op("(")
    for _ in 0..<100_000 { builder.op("K\u{1}") }
    builder.op("t")
    builder.op(UInt8(ascii: "q"))
    builder.op(UInt8(1))
    builder.op("0ctorch._utils\n_rebuild_tensor_v2\n((")
    builder.add(.text("storage"))
    builder.op("ctorch\nFloatStorage\n")
    builder.add(.text("0"))
    builder.add(.text("cpu"))
    builder.op("K\u{1}tQK\u{0}h\u{1}h\u{1}tR")
    #expect(says(try builder.finished(), "not described as PyTorch does"))
  }

  @Test("Sides beside one of 0 may be any number, and go through every format")
  func emptyTensors() throws {
    let folder = try TemporaryFolder()
    var archive = TensorArchive()
    archive["empty"] = ArchivedTensor([], shape: [1 << 62, 0, 1 << 62])
    #expect(archive["empty"]?.isFinite == true)
    #expect(archive["empty"].map { $0.rowsThatVanish(in: $0) } == 0)
    try Safetensors.write(archive, to: folder("a.safetensors"))
    try PyTorchFile.write(try Safetensors.read(folder("a.safetensors")), to: folder("a.pth"))
    #expect(try PyTorchFile.read(folder("a.pth")).archive["empty"]?.shape == [1 << 62, 0, 1 << 62])
  }

  @Test("Zip entries that lie over each other are refused before each is read")
  func overlappingEntries() throws {
    var builder = PickleBuilder()
    let values = Array(repeating: Float(1), count: 50_000)
    builder.add(.dictionary((1...4).map { ("t\($0)", .tensor(values)) }))
    // Storages 2 to 4 are empty, and the directory says that they lie where storage 1 does.
    for index in 2...4 { builder.empty(storage: index) }
    var bytes = try builder.finished().array
    func entry(_ index: Int) throws -> Int {
      let name = Array("archive/data/\(index)".utf8)
      return try #require(
        bytes.indices.last { bytes[$0...].starts(with: name) }.map { $0 - 46 })
    }
    let first = try entry(1)
    for index in 2...4 {
      let own = try entry(index)
      // Checksum and both sizes; then the offset of the local header.
      for field in [16..<28, 42..<46] {
        for byte in field { bytes[own + byte] = bytes[first + byte] }
      }
    }
    #expect(reason(ByteRegion(bytes)) == .container("its entries overlap"))
  }
}
