// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import Synchronization

/// The algorithm of a study, which lives in the storage.
extension StudyCoordinator {
  /// An algorithm as it was saved with a revision.
  struct Search: Sendable {
    var problem: SearchProblem
    var algorithm: any SearchAlgorithm
    var revision: Int
  }

  /// The study's algorithm as it is saved.
  func search(_ transaction: any StudyTransaction, _ study: Study) throws -> Search {
    let revision = try transaction.algorithmRevision(of: study.id)
    let kept = searches.withLock { $0[study.id] }
    if let kept, kept.revision == revision { return kept }
    let problem = try kept?.problem ?? study.definition.problem()
    guard let record = try transaction.algorithm(of: study.id) else {
      throw StudyError.damagedStudy(name: study.name, reason: "its algorithm has no saved state")
    }
    do {
      return Search(
        problem: problem,
        algorithm: try study.definition.algorithm.restore(record.state, problem: problem),
        revision: record.revision)
    } catch {
      throw StudyError.damagedStudy(name: study.name, reason: "\(error)")
    }
  }

  /// Tells the algorithm everything that came since, in the order of finishing.
  func tell(
    _ search: inout Search, _ transaction: any StudyTransaction, _ study: Study
  ) throws {
    for trial in try transaction.untoldTrials(of: study.id) {
      let evaluation =
        trial.objectives.map {
          Evaluation(id: trial.number, objectives: $0, violation: trial.violation)
        } ?? .failed(id: trial.number)
      try search.algorithm.tell([evaluation])
      var told = trial
      told.isTold = true
      try transaction.update(told, of: study.id)
    }
  }

  func save(
    _ search: inout Search, _ transaction: any StudyTransaction, _ study: Study
  ) throws {
    search.revision += 1
    try transaction.save(
      AlgorithmRecord(revision: search.revision, state: try search.algorithm.savedState()),
      of: study.id)
  }

  func ask(
    _ search: inout Search, _ transaction: any StudyTransaction, _ study: Study
  ) throws -> Candidate? {
    try tell(&search, transaction, study)
    let candidate = search.algorithm.ask()
    try save(&search, transaction, study)
    return candidate
  }
}
