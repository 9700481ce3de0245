// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Runs the built program as a user would.
enum Muxnet {
  struct Outcome {
    let code: Int32
    let output: String
    let errors: String

    /// The lines on the standard error.
    var errorLines: [String] { errors.split(separator: "\n").map(String.init) }
  }

  /// The program lies beside the test bundle.
  static let program: URL = {
    let bundles = [Bundle.main.bundleURL] + Bundle.allBundles.map(\.bundleURL)
    let places =
      bundles.flatMap { [$0, $0.deletingLastPathComponent()] }
      + [URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()]
    let candidates = places.map { $0.appendingPathComponent("muxnet") }
    return candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) }
      ?? candidates[0]
  }()

  /// Runs a command line in a folder, with no `MUXNET_` variables but those given.
  static func run(
    _ arguments: [String], in folder: String? = nil, environment: [String: String] = [:],
    input: String = ""
  ) throws -> Outcome {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    process.environment = ProcessInfo.processInfo.environment
      .filter { !$0.key.hasPrefix("MUXNET_") }
      .merging(environment) { $1 }
    // Files instead of pipes: nothing can block however much is written.
    let scratch = FileManager.default.temporaryDirectory
      .appendingPathComponent("muxnet-run-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    func file(_ name: String) throws -> (URL, FileHandle) {
      let url = scratch.appendingPathComponent(name)
      try Data().write(to: url)
      return (url, try FileHandle(forWritingTo: url))
    }
    let (outputURL, output) = try file("output")
    let (errorURL, errors) = try file("errors")
    process.standardOutput = output
    process.standardError = errors
    let inputURL = scratch.appendingPathComponent("input")
    try Data(input.utf8).write(to: inputURL)
    process.standardInput = try FileHandle(forReadingFrom: inputURL)
    try process.run()
    process.waitUntilExit()
    return Outcome(
      code: process.terminationStatus, output: try String(contentsOf: outputURL, encoding: .utf8),
      errors: try String(contentsOf: errorURL, encoding: .utf8))
  }

  /// The engines that this build has.
  static var engines: [String] {
    #if TORCH
      ["runtime", "torch"]
    #else
      ["runtime"]
    #endif
  }

  /// Runs a command line and reads its output as a JSON object.
  static func json(_ arguments: [String]) throws -> [String: Any] {
    let outcome = try run(arguments)
    let value = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    return value as? [String: Any] ?? [:]
  }
}
