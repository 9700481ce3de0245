// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTestSupport
import Testing

/// A small study on the digits whose evaluation is a line of shell, as the tests of searches make it.
enum SearchStudy {
  static let targets = [
    "--target", "small:params=5k,madds=100k", "--target", "large:params=40k,madds=800k",
  ]
  /// Gives each trial an error that only its number decides.
  static let evaluation = "cat >/dev/null; echo \"{\\\"error\\\": $((MUXNET_TRIAL % 17 + 3))}\""

  /// Makes the study `demo` in `a.db`.
  static func create(_ arguments: [String] = [], in folder: TemporaryFolder) throws -> Program {
    try Program.run(
      ["search", "create", "demo", "--storage", "a.db", "--space", "digits"]
        + ["--evaluate", evaluation] + targets + arguments, in: folder.path)
  }

  /// What a command on `a.db` prints as JSON.
  static func json(_ arguments: [String], in folder: TemporaryFolder) throws -> Any {
    let program = try Program.run(
      ["search"] + arguments + ["--storage", "a.db", "--json"], in: folder.path)
    #expect(program.code == 0, "\(program.errors)")
    return try JSONSerialization.jsonObject(
      with: Data(program.output.utf8), options: .fragmentsAllowed)
  }

  /// Runs a command on `a.db`.
  static func run(_ words: [String], in folder: TemporaryFolder) throws -> Program {
    try Program.run(["search"] + words + ["--storage", "a.db"], in: folder.path)
  }
}
