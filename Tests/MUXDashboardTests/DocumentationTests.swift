// SPDX-License-Identifier: Apache-2.0
import Hummingbird
import MUXDashboard
import MUXStudies
import MUXTestSupport
import Testing

// The example of the module's page, so that it compiles; what the reader supplies is given here.

private func served() async throws {
  let store = try StudyStorage.open(StorageURL("runs/studies.db"), for: .read)
  let model = DashboardModel(store)
  try await Dashboard.application(model, port: 8080).runService()
}

@Suite("Documentation of the dashboard")
struct DocumentationTests {
  @Test("The example in Swift is the one that compiles here")
  func example() throws {
    let examples = try PageExamples(of: "Sources/MUXDashboard/MUXDashboard.docc/MUXDashboard.md")
    #expect(examples.count == 1)
    #expect(examples.missing.isEmpty, "\(examples.missing)")
  }
}
