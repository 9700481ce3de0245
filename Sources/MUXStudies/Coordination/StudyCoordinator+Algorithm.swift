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
    /// How many steps of other processes were gone through since this process asked last.
    var behind = 0
  }

  /// So many steps of other processes are gone through while the study is locked; with more of them that is
  /// done before.
  static let fewSteps = 4

  /// After so many steps the whole state is saved anew; in large studies, where that takes longer,
  /// after proportionally more.
  @Sendable static func stepsBetweenStates(at revision: Int) -> Int {
    max(1_000, revision / 16)
  }

  /// The study's algorithm as the storage has it. It is taken out of ``searches``, so that it is the
  /// only copy and can be changed in place; whoever has changed it puts it back after the commit.
  func search(_ transaction: any StudyTransaction, _ study: Study) throws -> Search {
    try search(transaction, study, within: .max) ?? restored(transaction, study)
  }

  /// The same, if no more than so many steps lead to it; nil else. A state that has to be read as a whole
  /// counts as more.
  func search(
    _ transaction: any StudyTransaction, _ study: Study, within most: Int
  ) throws -> Search? {
    let revision = try transaction.algorithmRevision(of: study.id)
    guard var kept = searches.withLock({ $0.removeValue(forKey: study.id) }) else { return nil }
    if kept.revision == revision { return kept }
    guard kept.revision < revision, revision - kept.revision <= most else {
      keep(kept, of: study)
      return nil
    }
    let steps = try transaction.algorithmSteps(of: study.id, after: kept.revision)
    guard steps.first?.revision == kept.revision + 1 else { return nil }
    try follow(steps, &kept, to: revision, study)
    return kept
  }

  /// Brings this process's copy of the algorithm near to what the storage has. Reading a whole state and
  /// going through many steps take a while, so this is done while nobody has to wait for it.
  package func catchUp(with study: Study) throws {
    // The one copy, which is changed in place.
    var search = searches.withLock { $0.removeValue(forKey: study.id) }
    let known = search?.revision
    let (revision, record, steps) = try retry {
      try store.read { transaction -> (Int, AlgorithmRecord?, [AlgorithmStep]) in
        let revision = try transaction.algorithmRevision(of: study.id)
        if let known, known <= revision {
          let steps = try transaction.algorithmSteps(of: study.id, after: known)
          if known == revision || steps.first?.revision == known + 1 {
            return (revision, nil, steps)
          }
        }
        // Without one, the transaction that needs it says what is wrong.
        guard let record = try transaction.algorithm(of: study.id) else { return (0, nil, []) }
        return (
          revision, record, try transaction.algorithmSteps(of: study.id, after: record.revision)
        )
      }
    }
    if let record { search = try restored(record, study) }
    guard revision > 0, var near = search.take() else { return }
    try follow(steps, &near, to: revision, study)
    keep(near, of: study)
  }

  private func restored(_ transaction: any StudyTransaction, _ study: Study) throws -> Search {
    guard let record = try transaction.algorithm(of: study.id) else {
      throw StudyError.damagedStudy(name: study.name, reason: "its algorithm has no saved state")
    }
    var search = try restored(record, study)
    try follow(
      try transaction.algorithmSteps(of: study.id, after: record.revision), &search,
      to: try transaction.algorithmRevision(of: study.id), study)
    return search
  }

  private func restored(_ record: AlgorithmRecord, _ study: Study) throws -> Search {
    let problem = try study.definition.problem()
    do {
      return Search(
        problem: problem,
        algorithm: try study.definition.algorithm.restore(record.state, problem: problem),
        revision: record.revision, saved: record.revision)
    } catch {
      throw StudyError.damagedStudy(name: study.name, reason: "\(error)")
    }
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
    search.behind += steps.count
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
    // Of many processes only one makes the text, the one whose step came to just so many. Should it not
    // come to that, another one does some steps later.
    guard (search.revision - saved - interval) % max(1, interval / 8) == 0 else { return }
    let record = AlgorithmRecord(
      revision: search.revision, state: try search.algorithm.savedState())
    try write(study) { transaction, study in
      try transaction.save(record, of: study.id)
    }
    searches.withLock { $0[study.id]?.saved = record.revision }
  }
}
