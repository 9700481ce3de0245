// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXStudies

/// Runs the programs that fetch weights: they end with this one, however it ends.
enum FetchingPrograms {
  /// Runs a program of the search path and gives its exit code; nil where there is none.
  static func run(_ program: String, _ arguments: [String], errors: String) throws -> Int32? {
    let environment = ProcessInfo.processInfo.environment
    let folders = (environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
    guard
      let path = folders.map({ "\($0)/\(program)" }).first(
        where: FileManager.default.isExecutableFile(atPath:))
    else { return nil }
    let child = try ChildProcess(
      path, arguments, environment: environment, errors: .file(errors))
    switch child.wait() {
    case .exit(let code): return code
    case .signal(let number): return 128 + number
    }
  }
}
