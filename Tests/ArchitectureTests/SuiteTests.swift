// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// A test that hangs must fail by itself, wherever it runs.
@Suite("Suites that may hang") struct SuiteTests {
  /// What starts processes, or waits for another thread.
  private static var waiting: Regex<Substring> {
    /\b(?:Muxnet\.|Program\(|Program\.run|Process\(\)|ChildProcess\(|CommandEvaluator\(|PostgresServer\b|Thread\b|eventually\(|u?sleep\(|DispatchSemaphore\b|EnginePool\(|with(?:Throwing)?TaskGroup\b)/
  }

  /// What starts the program; a line of the shell that is another program does not.
  private static var starting: Regex<Substring> {
    /\bMuxnet\.(?:run|json)\(|\bProgram(?:\.run)?\((?!\s*shell:)/
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

  @Test("only one module of tests starts the program, so that all others do without compiling it")
  func program() throws {
    let modules = try Manifest.current.get().modules.values.filter(\.isTest)
    let owner = "MUXNetCommandTests"
    #expect(modules.filter { $0.modules.contains("muxnet") }.map(\.name) == [owner])
    var starting: Set<String> = []
    for module in modules where module.name != "MUXTestSupport" {
      for file in try SourceFile.files(of: module) where file.code.contains(Self.starting) {
        starting.insert(module.name)
        #expect(module.name == owner, "\(file.path) starts the program")
      }
    }
    #expect(starting == [owner])
  }
}
