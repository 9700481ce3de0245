// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import MUXSearch
import MUXStudies
import MUXTestSupport
import Testing

// The examples of Docs/SEARCH.md, so that they compile; what the reader supplies is given here.

private func measure(_ architecture: Architecture) throws -> [Double] { [1, 2, 3] }
private func error(of architecture: Architecture) throws -> Double { 1 }

private func askAndTell(_ file: URL) throws {
  let domain = NetworkDomain(try .named("small"))
  let targets: [ReferenceTarget] = [
    .budget("small", ["params": 100e3, "madds": 10e6]),
    .budget("large", ["params": 500e3, "madds": 60e6]),
  ]
  let problem = try domain.problem(targets: targets)
  let settings = AlgorithmSettings.guided()
  var search = try settings.make(problem, goal: .targets(targets), seed: 1)

  for _ in 0..<100 {
    let candidates = search.ask(8)
    let results = try candidates.map { candidate in
      Evaluation(id: candidate.id, objectives: try measure(domain.architecture(candidate.genome)))
    }
    try search.tell(results)
    try search.savedState().write(to: file)
  }

  var again = try settings.restore(Data(contentsOf: file), problem: problem)
  _ = again.ask(1)
}

private struct MyEvaluator: TrialEvaluator {
  func evaluate(
    _ request: EvaluationRequest, _ context: EvaluationContext
  ) throws -> [String: Double] {
    guard let architecture = try request.architecture() else { return [:] }
    return ["error": try error(of: architecture)]
  }
}

private func study(_ targets: [ReferenceTarget]) throws {
  let definition = try StudyDefinition(
    networks: .named("small"), targets: targets, algorithm: .guided(), seed: 1,
    evaluation: .code(name: "MyEvaluator"), limits: StudyLimits(trials: 200))
  let store = try StudyStorage.open(StorageURL("sqlite:///studies.db"), for: .create)
  let coordinator = StudyCoordinator(store, retry: RetryPolicy(patience: 60))
  let study = try coordinator.create("mine", definition)
  let worker = StudyWorker(coordinator) { _ in MyEvaluator() }
  _ = try worker.run([study], shouldStop: { false })
  print(try coordinator.standings(of: study).best)
}

@Suite("Documentation of the search")
struct DocumentationTests {
  @Test("The examples in Swift are those that compile here")
  func examples() throws {
    let examples = try PageExamples(of: "Docs/SEARCH.md")
    #expect(examples.count == 2)
    #expect(examples.missing.isEmpty, "\(examples.missing)")
  }
}
