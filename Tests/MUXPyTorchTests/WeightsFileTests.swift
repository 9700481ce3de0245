// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXPyTorch
import MUXTestSupport
import MUXWeights
import Testing

@Suite("Weights files of any kind")
struct WeightsFileTests {
  @Test(
    "Formats that are known but not supported are named",
    arguments: [
      ("a.gguf", Array("GGUF\u{3}".utf8), "GGUF"), ("a.onnx", [8, 7, 18, 3], "ONNX"),
      ("a.h5", [0x89] + Array("HDF\r\n".utf8), "HDF5"), ("a.pb", [10, 1], "TensorFlow"),
      ("a.pth", [1, 2, 3, 4], "not a weights file"), ("a.bin", [1, 2, 3, 4], "not a weights file"),
      ("a.pth", [], "the file is empty"),
      ("a.pth.tar", [UInt8](repeating: 0, count: 257) + Array("ustar".utf8) + [0, 0, 0], "tar"),
    ] as [(String, [UInt8], String)])
  func unsupported(name: String, bytes: [UInt8], expected: String) throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write(bytes, to: folder(name))
    #expect {
      _ = try WeightsFile.load(folder(name))
    } throws: { "\($0)".contains(expected) && !"\($0)".contains("\n") }
  }

  @Test("The content decides, not the name")
  func contentDecides() throws {
    let folder = try TemporaryFolder()
    var archive = TensorArchive()
    archive["x"] = ArchivedTensor([1], shape: [1])
    try Safetensors.write(archive, to: folder("named.pth"))
    try PyTorchFile.write(archive, to: folder("named.safetensors"))
    #expect(try WeightsFile.load(folder("named.pth")).format == .safetensors)
    #expect(try WeightsFile.load(folder("named.safetensors")).format == .pyTorch)
  }

  @Test("A folder in place of a file is an error of one line")
  func folderAsFile() throws {
    let folder = try TemporaryFolder()
    #expect { _ = try WeightsFile.load(folder.path) } throws: { "\($0)".contains("directory") }
  }
}

@Suite("Atomic files")
struct AtomicFileTests {
  @Test("Without a commit the old file stays and nothing else is left")
  func abandoned() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write("old", to: folder("f"))
    do {
      var file = try AtomicFile(path: folder("f"))
      try file.write(Array("new".utf8))
    }
    #expect(try String(contentsOfFile: folder("f"), encoding: .utf8) == "old")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["f"])
    try AtomicFile.write("new", to: folder("f"))
    #expect(try String(contentsOfFile: folder("f"), encoding: .utf8) == "new")
  }

  @Test("A missing folder is an error that names the file")
  func missingFolder() {
    #expect { try AtomicFile.write("x", to: "no-such-folder/f") } throws: {
      "\($0)".contains("no-such-folder/f: there is no folder no-such-folder")
    }
  }
}
