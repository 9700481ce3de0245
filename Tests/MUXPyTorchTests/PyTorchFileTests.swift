// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXPyTorch
import MUXTestSupport
import MUXWeights
import Testing

@Suite("PyTorch files")
struct PyTorchFileTests {
  private func reason(
    _ file: ByteRegion, key: String? = nil
  ) -> PyTorchFileFault? {
    do {
      _ = try PyTorchFile.read(file, path: "file.pth", key: key)
      return nil
    } catch { return error.reason }
  }

  private func floats(_ values: [Float]) -> [UInt8] { values.withUnsafeBytes { [UInt8]($0) } }

  @Test("A pickle that asks for os.system is refused by name and nothing runs")
  func maliciousReduce() throws {
    let folder = try TemporaryFolder()
    let command = "touch \(folder("owned"))"
    let pickle =
      [0x80, 2] + Array("cos\nsystem\n".utf8) + [
        UInt8(ascii: "X"), UInt8(command.utf8.count), 0, 0, 0,
      ]
      + command.utf8 + [0x85] + Array("R.".utf8)
    let file = try pyTorchFile(pickle)
    #expect(reason(file) == .forbiddenGlobal("os.system"))
    #expect {
      _ = try PyTorchFile.read(file, path: "evil.pth")
    } throws: { "\($0)".contains("evil.pth: refuses to run “os.system”") }
    #expect(!FileManager.default.fileExists(atPath: folder("owned")))
    #expect(FileManager.default.fileExists(atPath: folder.path))
  }

  @Test(
    "Other ways to run code are refused too",
    arguments: [
      // By the stack, by instance, and by names that lead to code.
      "\u{8c}\u{08}builtins\u{8c}\u{04}eval\u{93}.", "(S'ls'\nios\nsystem\n.", "ctorch\nload\n.",
      "c__builtin__\nexec\n.", "ctorch._utils\n_rebuild_sparse_tensor\n.",
      "cnumpy\nload\n.", "ctorch._utils\n_rebuild_tensor_v2.__globals__\n.", "\u{82}\u{01}.",
    ])
  func otherAttacks(text: String) throws {
    let bytes = text.unicodeScalars.map { UInt8($0.value) }
    let found = reason(try pyTorchFile([0x80, 4] + bytes))
    switch found {
    case .forbiddenGlobal, .pickle: break
    default: Issue.record("\(String(describing: found))")
    }
  }

  @Test("Only the names on the list can be called, not values of the file")
  func callingValues() throws {
    let found = reason(try pyTorchFile([0x80, 2] + Array("})R.".utf8)))
    #expect(found == .forbiddenCall("a value of the file"))
    let storage = reason(try pyTorchFile([0x80, 2] + Array("ctorch\nFloatStorage\n)R.".utf8)))
    #expect(storage == .forbiddenCall("a storage of F32"))
  }

  @Test("A tensor that is not row-major is put in order")
  func strided() throws {
    let file = try pyTorchFile(
      tensorPickle(count: 7, offset: 1, shape: [3, 2], strides: [1, 3]),
      storages: [floats([9, 1, 2, 3, 4, 5, 6])])
    let tensor = try #require(try PyTorchFile.read(file, path: "f").archive["weight"])
    #expect(tensor.shape == [3, 2])
    #expect(tensor.floats == [1, 4, 2, 5, 3, 6])
  }

  @Test("A view of a larger storage takes its own part")
  func contiguousView() throws {
    let file = try pyTorchFile(
      tensorPickle(count: 6, offset: 2, shape: [2, 2], strides: [2, 1]),
      storages: [floats([0, 1, 2, 3, 4, 5])])
    #expect(try PyTorchFile.read(file, path: "f").archive["weight"]?.floats == [2, 3, 4, 5])
  }

  @Test("Offsets, shapes and strides that leave the storage are refused")
  func outsideStorage() throws {
    let storages = [floats([0, 1, 2, 3])]
    func found(
      count: UInt8 = 4, offset: UInt8 = 0, shape: [UInt8], strides: [UInt8]
    ) throws -> PyTorchFileFault? {
      reason(
        try pyTorchFile(
          tensorPickle(count: count, offset: offset, shape: shape, strides: strides),
          storages: storages))
    }
    #expect(try found(shape: [4], strides: [1]) == nil)
    for bad in [
      try found(shape: [5], strides: [1]), try found(offset: 1, shape: [4], strides: [1]),
      try found(shape: [2], strides: [4]), try found(count: 5, shape: [1], strides: [1]),
      try found(shape: [2, 2], strides: [1]),
      // 100⁵ elements out of one, by strides of 0.
      try found(shape: [100, 100, 100, 100, 100], strides: [0, 0, 0, 0, 0]),
    ] {
      guard case .tensor = bad else {
        Issue.record("\(String(describing: bad))")
        continue
      }
    }
  }

  @Test("A file that is cut off or altered anywhere is refused, never a crash")
  func damage() throws {
    let pickle = tensorPickle(count: 4, shape: [4], strides: [1])
    let file = try pyTorchFile(pickle, storages: [floats([1, 2, 3, 4])]).array
    for length in 0..<file.count {
      #expect(reason(ByteRegion(file[..<length])) != nil, "cut to \(length) bytes")
    }
    // A changed byte may go unnoticed where it does not matter, but must not crash.
    for index in file.indices {
      var altered = file
      altered[index] ^= 0xff
      _ = reason(ByteRegion(altered))
    }
    for index in pickle.indices {
      for value in [UInt8(0), 0x28, 0x2e, 0x74, 0x8a, 0xff] {
        var altered = pickle
        altered[index] = value
        _ = reason(try pyTorchFile(altered, storages: [floats([1, 2, 3, 4])]))
      }
    }
  }

  @Test("Containers nested a million deep, or inside themselves, neither crash nor hang")
  func deepNesting() throws {
    let tuples = [UInt8](repeating: 0x85, count: 1_000_000)
    #expect(reason(try pyTorchFile([0x80, 2] + Array("N".utf8) + tuples + Array(".".utf8))) != nil)
    // A list that holds itself: ] q0 h0 a .
    #expect(reason(try pyTorchFile([0x80, 2, 0x5d, 0x71, 0, 0x68, 0, 0x61, 0x2e])) != nil)
    // Lists linked from the outside in, so that each holds the next.
    let link: [UInt8] = [0x5d, 0x71, 1, 0x61, 0x30, 0x68, 1]
    let links = [[UInt8]](repeating: link, count: 200_000).joined()
    #expect(reason(try pyTorchFile([0x80, 2, 0x5d] + links + Array(".".utf8))) != nil)
  }

  @Test("What is written is read back, also under its key of choice")
  func roundTrip() throws {
    let folder = try TemporaryFolder()
    var archive = TensorArchive()
    archive["a.weight"] = ArchivedTensor([1, 2, 3, 4, 5, 6], shape: [1, 2, 3])
    archive["a.steps"] = ArchivedTensor(integers: [Int64(5_000_000_000)], shape: [])
    archive["half"] = ArchivedTensor([0.5], shape: [1]).converted(to: .float16)
    try PyTorchFile.write(archive, to: folder("a.pth"))
    let copy = try PyTorchFile.read(folder("a.pth"))
    #expect(copy.key == nil)
    #expect(copy.archive.names == archive.names)
    for (name, tensor) in archive {
      #expect(copy.archive[name]?.shape == tensor.shape)
      #expect(copy.archive[name]?.elementType == tensor.elementType)
      #expect(copy.archive[name]?.bytes.array == tensor.bytes.array)
    }
    #expect {
      _ = try PyTorchFile.read(folder("a.pth"), key: "state_dict")
    } throws: { "\($0)".contains("no state dict under the key “state_dict”") }
  }

  @Test(
    "The authors' checkpoint equals its safetensors twin",
    .enabled(if: Reference.isPresent, "\(Shared.absent)"))
  func referenceCheckpoint() throws {
    let file = try WeightsFile.load(Reference.path("muxnet_m-half-10classes.pth.tar"))
    let twin = try WeightsFile.load(Reference.path("muxnet_m-half-10classes.safetensors"))
    #expect(file.format == .pyTorch)
    #expect(file.key == "state_dict")
    #expect(file.archive.metadata["epoch"] != nil)
    #expect(file.archive.count == 413)
    #expect(Set(file.archive.names) == Set(twin.archive.names))
    for (name, tensor) in twin.archive {
      #expect(file.archive[name]?.shape == tensor.shape, "\(name)")
      #expect(file.archive[name]?.bytes.array == tensor.bytes.array, "\(name)")
    }
  }
}
