// SPDX-License-Identifier: Apache-2.0
public import Foundation

#if !os(iOS)  // which starts no other programs
  /// Runs command lines of the built program to their end.
  public enum Muxnet {
    /// How one ended.
    public struct Outcome: Sendable {
      /// The exit code, or minus the signal.
      public let code: Int32
      /// What it printed.
      public let output: String
      /// What it printed on the standard error.
      public let errors: String

      /// The lines on the standard error.
      public var errorLines: [String] { errors.split(separator: "\n").map(String.init) }
    }

    /// The program.
    public static var program: URL { Program.url }

    /// Runs a command line in a folder, with no `MUXNET_` variables but those given.
    public static func run(
      _ arguments: [String], in folder: String? = nil, environment: [String: String] = [:],
      input: String = ""
    ) throws -> Outcome {
      let scratch = try TemporaryFolder()
      // What is printed goes to the scratch folder, so that tests can look at all files of theirs.
      let program = try Program.run(
        arguments, in: scratch.path,
        workingFolder: folder ?? FileManager.default.currentDirectoryPath, environment: environment,
        input: input)
      return Outcome(code: program.code, output: program.output, errors: program.errors)
    }

    /// Runs a command line and reads its output as a JSON object.
    public static func json(
      _ arguments: [String], in folder: String? = nil
    ) throws -> [String: Any] {
      let outcome = try run(arguments, in: folder)
      let value = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
      return value as? [String: Any] ?? [:]
    }
  }
#endif
