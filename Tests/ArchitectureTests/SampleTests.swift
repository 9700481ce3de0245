// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// What an app gets that takes the runtime alone.
@Suite("Samples") struct SampleTests {
  private struct Package: Decodable {
    var name: String
    var dependencies: [Package]

    /// The names of all packages that it brings along.
    var others: [String] { dependencies.flatMap { [$0.name] + $0.others } }
  }

  @Test(
    "A package with the runtime alone resolves no package but this one",
    arguments: ["ClassifyImage", "DetectObjects"])
  func packages(sample: String) throws {
    let scratch = FileManager.default.temporaryDirectory.appending(
      path: "muxnet-sample-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: scratch) }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "swift", "package", "--scratch-path", scratch.path(percentEncoded: false), "--package-path",
      Manifest.package.appending(path: "Samples/\(sample)").path(percentEncoded: false),
      "show-dependencies", "--format", "json",
    ]
    process.environment = ProcessInfo.processInfo.environment.filter { $0.key != "MUXNET_ONLY" }
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    // What SwiftPM has to say comes first.
    let start = try #require(text.firstIndex(of: UInt8(ascii: "{")))
    let package = try JSONDecoder().decode(Package.self, from: text[start...])
    #expect(package.name == sample)
    #expect(package.others == ["muxnet"])
  }
}
