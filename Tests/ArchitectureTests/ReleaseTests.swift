// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@Suite("Release") struct ReleaseTests {
  @Test("the version is the same in the program, the citation and the changelog")
  func version() throws {
    func text(_ path: String) throws -> String {
      try String(contentsOf: Manifest.package.appending(path: path), encoding: .utf8)
    }
    let report = try text("Sources/MUXConfiguration/EnvironmentReport.swift")
    let version = try #require(report.firstMatch(of: /current = "([0-9.]+)"/)?.1)
    #expect(try text("CITATION.cff").contains("version: \(version)\n"))
    #expect(try text("CHANGELOG.md").contains(version))
  }
}
