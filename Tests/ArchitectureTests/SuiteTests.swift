// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// A test that hangs must fail by itself, wherever it runs.
@Suite("Suites that may hang") struct SuiteTests {
  /// What starts processes, or waits for another thread.
  private static var waiting: Regex<Substring> {
    /\b(?:Muxnet\.|Program\(|Program\.run|Process\(\)|PostgresServer\b|Thread\b|eventually\(|u?sleep\(|DispatchSemaphore\b|EnginePool\(|with(?:Throwing)?TaskGroup\b)/
  }

  @Test(
    "Suites that start processes or wait have a time limit, and a tag that says which of the two")
  func limits() throws {
    var waiting = 0
    for module in try Manifest.current.get().modules.values.filter(\.isTest) {
      for file in try SourceFile.files(of: module) where file.path.hasSuffix("Tests.swift") {
        guard module.name != "ArchitectureTests", file.code.contains(Self.waiting) else { continue }
        waiting += 1
        for suite in file.code.matches(of: /@Suite\b[\s\S]*?\bstruct (\w+)/) {
          #expect(
            suite.0.contains(".endsSometime")
              && suite.0.contains(/\.tags\([^)]*\.(processes|waits)/),
            "\(file.path): the suite \(suite.1) needs .tags(.processes) or .tags(.waits), and .endsSometime"
          )
        }
        #expect(file.code.contains("@Suite"), "\(file.path): which suite?")
      }
    }
    #expect(waiting > 30)
  }
}
