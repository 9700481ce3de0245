// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTestSupport
import Testing

/// `scripts/setup`, run in a folder of its own, so that the package's libtorch is not touched.
@Suite(.tags(.processes), .endsSometime) struct SetupTests {
  private static let script = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("scripts/setup").path

  private static func run(in folder: TemporaryFolder, libtorch: String) throws -> (Int32, String) {
    let scripts = folder("scripts")
    try FileManager.default.createDirectory(atPath: scripts, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: script, toPath: "\(scripts)/setup")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["bash", "\(scripts)/setup"]
    process.environment = ProcessInfo.processInfo.environment.merging(["LIBTORCH": libtorch]) {
      $1
    }
    let pipe = Pipe()
    process.standardError = pipe
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }

  @Test("a LIBTORCH without libtorch is one line that names the folder and the remedy")
  func missing() throws {
    let folder = try TemporaryFolder()
    let (code, text) = try Self.run(in: folder, libtorch: folder("nowhere"))
    #expect(code == 1)
    #expect(text.hasPrefix("setup: error: LIBTORCH=\(folder("nowhere")) holds no libtorch"))
    #expect(text.contains("unset it or point it at"))
    #expect(text.split(separator: "\n").count == 1)
    #expect(!FileManager.default.fileExists(atPath: folder(".libtorch")))
  }

  @Test("a libtorch of an older version is refused with both versions")
  func tooOld() throws {
    let folder = try TemporaryFolder()
    let api = "torch/include/torch/csrc/api/include/torch"
    for path in ["torch/lib", "torch/include/ATen", api] {
      try FileManager.default.createDirectory(
        atPath: folder(path), withIntermediateDirectories: true)
    }
    #if os(macOS)
      let suffix = "dylib"
    #else
      let suffix = "so"
    #endif
    for path in ["lib/libtorch_cpu.\(suffix)", "lib/libc10.\(suffix)", "include/ATen/ATen.h"] {
      try Data().write(to: URL(fileURLWithPath: folder("torch/\(path)")))
    }
    try "#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 4\n".write(
      toFile: folder("\(api)/version.h"), atomically: true, encoding: .utf8)
    let (code, text) = try Self.run(in: folder, libtorch: folder("torch"))
    #expect(code == 1)
    #expect(text.contains("2.4") && text.contains("2.13"), "\(text)")
    #expect(text.split(separator: "\n").count == 1)
    #expect(!FileManager.default.fileExists(atPath: folder(".libtorch")))
  }
}
