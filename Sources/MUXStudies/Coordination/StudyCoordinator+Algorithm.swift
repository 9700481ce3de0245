// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import Synchronization

/// The algorithm of a study, which lives in the storage: a whole state now and then, and since that
/// one short step for each ask. Algorithms are deterministic, so that the steps lead every process to
/// the same algorithm, and an ask costs as much in a study of a million trials as in a new one.
extension StudyCoordinator {
  /// An algorithm as it is after a revision.
  struct Search: Sendable {
    var problem: SearchProblem
    var algorithm: any SearchAlgorithm
    var revision: Int
    /// The revision of the whole state in the storage, as far as this process knows.
    var saved: Int
    /// The revision after which the space had no more networks; asking again is of no use before
    /// something comes in.
    var exhausted: Int?
  }

  /// After so many steps the whole state is saved anew; in large studies, where that takes longer,
  /// after proportionally more.
  @Sendable static func stepsBetweenStates(at revision: Int) -> Int {
    max(1_000, revision / 16)
  }

  /// The study's algorithm as the storage has it. It is taken out of ``searches``, so that it is the
  /// only copy and can be changed in place; whoever has changed it puts it back after the commit.
  func search(_ transaction: any StudyTransaction, _ study: Study) throws -> Search {
    let revision = try transaction.algorithmRevision(of: study.id)
    if var kept = searches.withLock({ $0.removeValue(forKey: study.id) }) {
      if kept.revision == revision { return kept }
      let steps = try transaction.algorithmSteps(of: study.id, after: kept.revision)
      if kept.revision < revision, steps.first?.revision == kept.revision + 1 {
        try follow(steps, &kept, to: revision, study)
        return kept
      }
    }
    guard let record = try transaction.algorithm(of: study.id) else {
      throw StudyError.damagedStudy(name: study.name, reason: "its algorithm has no saved state")
    }
    let problem = try study.definition.problem()
    var search: Search
    do {
      search = Search(
        problem: problem,
        algorithm: try study.definition.algorithm.restore(record.state, problem: problem),
        revision: record.revision, saved: record.revision)
    } catch {
      throw StudyError.damagedStudy(name: study.name, reason: "\(error)")
    }
    try follow(
      try transaction.algorithmSteps(of: study.id, after: record.revision), &search, to: revision,
      study)
    return search
  }

  /// Puts an algorithm back after the transaction that changed it.
  func keep(_ search: Search?, of study: Study) {
    guard let search else { return }
    searches.withLock { $0[study.id] = search }
  }

  private func follow(
    _ steps: [AlgorithmStep], _ search: inout Search, to revision: Int, _ study: Study
  ) throws {
    for step in steps {
      guard step.revision == search.revision + 1, try step.repeats(on: &search.algorithm) else {
        throw StudyError.damagedStudy(
          name: study.name,
          reason: "step \(step.revision) of its algorithm does not follow from the ones before")
      }
      search.revision = step.revision
      if let ask = step.ask, ask.number == nil { search.exhausted = step.revision }
    }
    guard search.revision == revision else {
      throw StudyError.damagedStudy(
        name: study.name,
        reason: "steps of its algorithm are missing after \(search.revision) of \(revision)")
    }
  }

  /// Tells the algorithm everything that came since, in the order of finishing.
  func tell(
    _ search: inout Search, _ transaction: any StudyTransaction, _ study: Study
  ) throws -> [Evaluation] {
    try transaction.untoldTrials(of: study.id).map { trial in
      let evaluation =
        trial.objectives.map {
          Evaluation(id: trial.number, objectives: $0, violation: trial.violation)
        } ?? .failed(id: trial.number)
      try search.algorithm.tell([evaluation])
      var told = trial
      told.isTold = true
      try transaction.update(told, of: study.id)
      return evaluation
    }
  }

  /// Adds to the storage what the algorithm went through.
  func add(
    _ step: AlgorithmStep, to search: inout Search, _ transaction: any StudyTransaction,
    _ study: Study
  ) throws {
    var step = step
    search.revision += 1
    step.revision = search.revision
    try transaction.append(step, of: study.id)
  }

  /// Saves the whole state of a study's algorithm where many steps have come since the last one.
  /// Making the text of a large state takes a while, so this is done outside of transactions.
  package func saveState(of study: Study) throws {
    let search = searches.withLock { $0[study.id] }
    guard let search else { return }
    let interval = stepsBetweenStates(search.revision)
    guard search.revision - search.saved >= interval else { return }
    // Another process may have done it.
    let saved = try retry { try store.read { try $0.algorithmStateRevision(of: study.id) } }
    searches.withLock { $0[study.id]?.saved = saved }
    guard search.revision - saved >= interval else { return }
    let record = AlgorithmRecord(
      revision: search.revision, state: try search.algorithm.savedState())
    try write(study) { transaction, study in
      try transaction.save(record, of: study.id)
    }
    searches.withLock { $0[study.id]?.saved = record.revision }
  }
}
