// SPDX-License-Identifier: Apache-2.0
import MUXTasks
import MUXTestSupport
import Testing

// The example of the module's page, so that it compiles; what the reader supplies is given here.

private typealias Grades = Classification

private func registered() {
  TaskRegistry.register(Grades.self)
}

@Suite("Documentation of tasks")
struct DocumentationTests {
  @Test("The example in Swift is the one that compiles here")
  func example() throws {
    let examples = try PageExamples(of: "Sources/MUXTasks/MUXTasks.docc/MUXTasks.md")
    #expect(examples.count == 1)
    #expect(examples.missing.isEmpty, "\(examples.missing)")
  }
}
