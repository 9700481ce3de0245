// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXImages
import MUXPyTorch
import MUXTestSupport
import MUXVision
import MUXWeights
import Testing

@Suite("convert of weights and data check", .tags(.processes), .endsSometime)
struct FileCommandTests {
  private func weights() -> TensorArchive {
    var archive = TensorArchive()
    archive["layer.weight"] = ArchivedTensor([1, -2, 0.5, 4], shape: [2, 2])
    archive["layer.steps"] = ArchivedTensor(integers: [3], shape: [])
    return archive
  }

  @Test("Weights go from safetensors to PyTorch and back unchanged")
  func thereAndBack() throws {
    let folder = try TemporaryFolder()
    try Safetensors.write(weights(), to: folder("a.safetensors"))
    for (from, to) in [("a.safetensors", "b.pth"), ("b.pth", "c.safetensors")] {
      let outcome = try Muxnet.run(["convert", folder(from), folder(to)])
      #expect(outcome.code == 0, "\(outcome.errors)")
    }
    let copy = try Safetensors.read(folder("c.safetensors"))
    for (name, tensor) in weights() {
      #expect(copy[name]?.shape == tensor.shape)
      #expect(copy[name]?.bytes.array == tensor.bytes.array)
    }
  }

  @Test("--type changes floating-point tensors and leaves integers alone")
  func elementTypes() throws {
    let folder = try TemporaryFolder()
    try Safetensors.write(weights(), to: folder("a.safetensors"))
    let outcome = try Muxnet.run(
      ["convert", folder("a.safetensors"), folder("b.safetensors"), "--type", "F16"])
    #expect(outcome.code == 0)
    let copy = try Safetensors.read(folder("b.safetensors"))
    #expect(copy["layer.weight"]?.elementType == .float16)
    #expect(copy["layer.weight"]?.floats == [1, -2, 0.5, 4])
    #expect(copy["layer.steps"]?.elementType == .int64)
  }

  @Test("A pickle that would run code is refused, and nothing is written")
  func maliciousPickle() throws {
    let folder = try TemporaryFolder()
    var zip = ZipWriter()
    let pickle =
      [0x80, 2] + Array("cos\nsystem\nX".utf8) + [4, 0, 0, 0] + Array("true\u{85}R.".utf8)
    try zip.add("archive/data.pkl", ByteRegion(pickle))
    try AtomicFile.write(zip.finished().flatMap(\.array), to: folder("evil.pth"))
    let outcome = try Muxnet.run(["convert", folder("evil.pth"), folder("out.safetensors")])
    #expect(outcome.code == 1)
    #expect(outcome.errorLines.count == 1)
    #expect(outcome.errors.contains("refuses to run “os.system”"))
    #expect(!FileManager.default.fileExists(atPath: folder("out.safetensors")))
  }

  @Test("Truncated and missing weights are one line and exit code 1")
  func damagedWeights() throws {
    let folder = try TemporaryFolder()
    let bytes = try Safetensors.bytes(of: weights())
    try AtomicFile.write(Array(bytes.dropLast()), to: folder("cut.safetensors"))
    for name in ["cut.safetensors", "missing.safetensors"] {
      let outcome = try Muxnet.run(["convert", folder(name), folder("out.pth")])
      #expect(outcome.code == 1)
      #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains(name))
    }
    let unwritable = try Muxnet.run(
      ["convert", "muxnet_xs", folder("no/such/folder/net.json")])
    #expect(unwritable.code == 1)
    #expect(unwritable.errorLines.count == 1)
  }

  private func makeImages(_ folder: TemporaryFolder) throws {
    for (name, color) in [("red", [200, 0, 0]), ("blue", [0, 0, 200])] as [(String, [UInt8])] {
      let path = folder("data/\(name)")
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      for index in 0..<3 {
        try Image(width: 4 + index, height: 5, color: color).writePNG(to: "\(path)/\(index).png")
      }
    }
  }

  @Test("data check counts a sound folder and exits with 0")
  func soundData() throws {
    let folder = try TemporaryFolder()
    try makeImages(folder)
    let outcome = try Muxnet.run(["data", "check", folder("data")])
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("6 images, 2 classes"))
    #expect(outcome.output.contains("0 broken"))
  }

  @Test("data check names each broken file and exits with 1")
  func brokenData() throws {
    let folder = try TemporaryFolder()
    try makeImages(folder)
    try AtomicFile.write([0xff, 0xd8, 0xff, 0xe0, 0], to: folder("data/red/cut.jpg"))
    try AtomicFile.write("text", to: folder("data/blue/text.png"))
    let outcome = try Muxnet.run(["data", "check", folder("data")])
    #expect(outcome.code == 1)
    #expect(outcome.output.contains("data/red/cut.jpg"))
    #expect(outcome.output.contains("data/blue/text.png"))
    #expect(outcome.errorLines.last?.hasPrefix("error: 2 broken images") == true)
  }

  @Test("An empty folder and one class are told apart from sound data")
  func oddData() throws {
    let folder = try TemporaryFolder()
    let empty = try Muxnet.run(["data", "check", folder.path])
    #expect(empty.code == 1)
    #expect(empty.errorLines.count == 1)
    try makeImages(folder)
    try FileManager.default.removeItem(atPath: folder("data/red"))
    let single = try Muxnet.run(["data", "check", folder("data")])
    #expect(single.code == 0)
    #expect(single.errors.contains("warning: ") && single.errors.contains("one class"))
  }

  @Test("A class without images to learn from is an error; without images to evaluate, a warning")
  func emptyClass() throws {
    let folder = try TemporaryFolder()
    try makeImages(folder)
    try folder.makeFolder("data/green")
    let whole = try Muxnet.run(["data", "check", folder("data")])
    #expect(whole.code == 1 && whole.errorLines.count == 1, "\(whole.errors)")
    #expect(whole.errors.contains("error: "))
    #expect(whole.errors.contains("class folder(s) without images: green; fill or remove them"))
    #expect(whole.output.contains("6 images, 3 classes"))
    try folder.makeFolder("parts")
    for part in ["train", "val"] {
      try FileManager.default.copyItem(atPath: folder("data"), toPath: folder("parts/\(part)"))
    }
    let parts = try Muxnet.run(["data", "check", folder("parts")])
    #expect(parts.code == 1)
    #expect(parts.errors.contains("parts/train: class folder(s) without images: green"))
    #expect(parts.errors.contains("parts/val: classes without images (1): green"))
    try Image(width: 4, height: 4, color: [0, 200, 0]).writePNG(
      to: folder("parts/train/green/0.png"))
    let filled = try Muxnet.run(["data", "check", folder("parts")])
    #expect(filled.code == 0, "\(filled.errors)")
    #expect(
      filled.errors.contains("warning: ") && filled.errors.contains("without images (1): green"))
  }
}
