// SPDX-License-Identifier: Apache-2.0
public import Foundation

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

#if !os(iOS)  // which starts no other programs
  /// The built `muxnet`, started as a user would, possibly several at once.
  public final class Program {
    /// The program lies beside the test bundle.
    public static let url: URL = {
      let bundles = [Bundle.main.bundleURL] + Bundle.allBundles.map(\.bundleURL)
      let places =
        bundles.flatMap { [$0, $0.deletingLastPathComponent()] }
        + [URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()]
      let candidates = places.map { $0.appendingPathComponent("muxnet") }
      return candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) }
        ?? candidates[0]
    }()

    private let process = Process()
    private let outputURL: URL
    private let errorURL: URL

    /// Starts `muxnet` with arguments, or a line of the shell in which `$MUXNET` is the program, with no
    /// `MUXNET_` variables but those given.
    ///
    /// - Parameters:
    ///   - folder: What it prints goes to files there.
    ///   - workingFolder: Where it runs, if not there, too.
    ///   - input: What it reads from the standard input.
    public init(
      _ arguments: [String] = [], shell: String? = nil, in folder: String,
      workingFolder: String? = nil, environment: [String: String] = [:], input: String = ""
    ) throws {
      let name = UUID().uuidString
      // Files instead of pipes: nothing can block however much is written.
      func file(_ suffix: String, _ text: String = "") throws -> URL {
        let url = URL(fileURLWithPath: "\(folder)/\(name).\(suffix)")
        try Data(text.utf8).write(to: url)
        return url
      }
      outputURL = try file("out")
      errorURL = try file("err")
      process.executableURL = shell == nil ? Self.url : URL(fileURLWithPath: "/bin/sh")
      process.arguments = shell.map { ["-c", $0] } ?? arguments
      process.currentDirectoryURL = URL(fileURLWithPath: workingFolder ?? folder)
      process.environment = ProcessInfo.processInfo.environment
        .filter { !$0.key.hasPrefix("MUXNET_") }.merging(["MUXNET": Self.url.path]) { $1 }
        .merging(environment) { $1 }
      process.standardInput =
        input.isEmpty ? FileHandle.nullDevice : try FileHandle(forReadingFrom: file("in", input))
      process.standardOutput = try FileHandle(forWritingTo: outputURL)
      process.standardError = try FileHandle(forWritingTo: errorURL)
      try process.run()
    }

    deinit { send(SIGKILL) }

    /// Runs to the end.
    public static func run(
      _ arguments: [String] = [], shell: String? = nil, in folder: String,
      workingFolder: String? = nil, environment: [String: String] = [:], input: String = ""
    ) throws -> Program {
      let program = try Program(
        arguments, shell: shell, in: folder, workingFolder: workingFolder, environment: environment,
        input: input)
      program.wait()
      return program
    }

    /// Waits for its end.
    public func wait() { process.waitUntilExit() }

    /// Sends it a signal, if it runs.
    public func send(_ signal: Int32) {
      if process.isRunning { kill(process.processIdentifier, signal) }
    }

    /// Whether it has not ended.
    public var isRunning: Bool { process.isRunning }

    /// Its number.
    public var processIdentifier: Int32 { process.processIdentifier }

    /// The exit code, or minus the signal, once it has ended.
    public var code: Int32 {
      wait()
      return process.terminationReason == .uncaughtSignal
        ? -process.terminationStatus : process.terminationStatus
    }

    /// What it has printed.
    public var output: String { (try? String(contentsOf: outputURL, encoding: .utf8)) ?? "" }

    /// What it has printed on the standard error.
    public var errors: String { (try? String(contentsOf: errorURL, encoding: .utf8)) ?? "" }

    /// The lines on the standard error that begin with `error:`.
    public var errorLines: [String] {
      errors.split(separator: "\n").map(String.init).filter { $0.hasPrefix("error: ") }
    }
  }
#endif
