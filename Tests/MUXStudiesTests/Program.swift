// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXStudies

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// The built `muxnet`, run as a user would, possibly several at once.
final class Program {
  /// The program lies beside the test bundle.
  static let url: URL = {
    let bundles = [Bundle.main.bundleURL] + Bundle.allBundles.map(\.bundleURL)
    let places =
      bundles.flatMap { [$0, $0.deletingLastPathComponent()] }
      + [URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()]
    let candidates = places.map { $0.appendingPathComponent("muxnet") }
    return candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) }
      ?? candidates[0]
  }()

  private let process: ChildProcess
  private let outputURL: URL
  private let errorURL: URL

  /// Starts `muxnet` with arguments, or a line of the shell in which `$MUXNET` is the program.
  init(_ arguments: [String] = [], shell: String? = nil, in folder: String) throws {
    let name = UUID().uuidString
    outputURL = URL(fileURLWithPath: "\(folder)/\(name).out")
    errorURL = URL(fileURLWithPath: "\(folder)/\(name).err")
    process = try ChildProcess(
      shell == nil ? Self.url.path : "/bin/sh", shell.map { ["-c", $0] } ?? arguments,
      environment: ProcessInfo.processInfo.environment
        .filter { !$0.key.hasPrefix("MUXNET_") }.merging(["MUXNET": Self.url.path]) { $1 },
      folder: folder, output: .file(outputURL.path), errors: .file(errorURL.path))
  }

  deinit { process.send(SIGKILL) }

  /// Runs to the end.
  static func run(
    _ arguments: [String] = [], shell: String? = nil, in folder: String
  ) throws -> Program {
    let program = try Program(arguments, shell: shell, in: folder)
    program.wait()
    return program
  }

  func wait() { process.wait() }
  func send(_ signal: Int32) { process.send(signal) }
  var isRunning: Bool { process.isRunning }
  var processIdentifier: Int32 { process.processIdentifier }
  /// The exit code, or minus the signal.
  var code: Int32 {
    switch process.wait() {
    case .exit(let code): code
    case .signal(let number): -number
    }
  }
  var output: String { (try? String(contentsOf: outputURL, encoding: .utf8)) ?? "" }
  var errors: String { (try? String(contentsOf: errorURL, encoding: .utf8)) ?? "" }
  /// The lines on the standard error that begin with `error:`.
  var errorLines: [String] {
    errors.split(separator: "\n").map(String.init).filter { $0.hasPrefix("error: ") }
  }
}

/// Waits for a condition, at most two minutes; whether it came.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
  for _ in 0..<2400 {
    if try condition() { return true }
    usleep(50_000)
  }
  return false
}
