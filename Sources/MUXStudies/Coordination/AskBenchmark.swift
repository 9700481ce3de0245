// SPDX-License-Identifier: Apache-2.0
import MUXCore
package import MUXSearch

/// What an ask costs in a study that has many trials already.
package struct AskBenchmark: Sendable {
  /// What was measured at a number of trials.
  package struct Row: Sendable, Codable, Hashable {
    /// Trials that the study had.
    package var trials: Int
    /// Milliseconds of the first ask of a process, which reads the algorithm.
    package var first: Double
    /// Milliseconds of an ask after that: the median.
    package var median: Double
    /// The slowest of them.
    package var slowest: Double
    /// Milliseconds of keeping a result: the median.
    package var result: Double
  }

  /// Of the trials that are there before, so many are the algorithm's own.
  private static let mostOwn = 2_000

  let definition: StudyDefinition
  /// Asks that are measured.
  let asks: Int

  /// A measurement of a search of the digits' space for small error, parameters and multiply-adds.
  ///
  /// - Throws: `SearchError`.
  package init(_ algorithm: AlgorithmSettings, asks: Int = 200) throws(SearchError) {
    self.asks = asks
    definition = try StudyDefinition(
      networks: .named("digits"),
      targets: [
        ReferenceTarget("small", parameters: 5e3, multiplyAdds: 1e5),
        ReferenceTarget("large", parameters: 4e4, multiplyAdds: 8e5),
      ], algorithm: algorithm, seed: 1, evaluation: .command(line: "false"),
      limits: StudyLimits(trials: 1_000_000_000))
  }

  /// Fills a new study, and measures as a worker that begins then.
  ///
  /// - Throws: ``StudyError``, `SearchError`.
  package func measure(_ name: String, trials count: Int, in store: any StudyStore) throws -> Row {
    let coordinator = StudyCoordinator(store)
    let study = try coordinator.create(name, definition)
    try fill(study, count, store)
    let worker = ProcessIdentity.current()
    var watch = Stopwatch()
    var asking: [Double] = []
    var telling: [Double] = []
    for _ in 0...asks {
      let start = watch.seconds()
      guard case .trial(let lease) = try coordinator.next(of: study, for: worker) else { break }
      let asked = watch.seconds()
      try coordinator.finish(lease, .complete(objectives: objectives(lease.trial.genome)))
      asking.append(1_000 * (asked - start))
      telling.append(1_000 * (watch.seconds() - asked))
    }
    let rest = asking.dropFirst()
    return Row(
      trials: count, first: asking.first ?? 0, median: Quantiles(rest).upper(0.5) ?? 0,
      slowest: rest.max() ?? 0, result: Quantiles(telling).upper(0.5) ?? 0)
  }

  /// Makes studies that stand beside the one that is measured, each of so many finished trials.
  ///
  /// - Throws: ``StudyError``, `SearchError`.
  package func addStudies(_ count: Int, trials: Int, in store: any StudyStore) throws {
    let coordinator = StudyCoordinator(store)
    let known = Set(try coordinator.studies().map(\.name))
    for place in 1..<count + 1 where !known.contains("beside-\(place)") {
      try fill(try coordinator.create("beside-\(place)", definition), trials, store)
    }
  }

  /// Puts finished trials and the algorithm that asked for them into the storage.
  func fill(_ study: Study, _ count: Int, _ store: any StudyStore) throws {
    let problem = try definition.problem()
    var algorithm = try definition.algorithm.make(
      problem, goal: definition.goal, seed: definition.seed)
    var strangers = RandomSearch(problem, seed: definition.seed &+ 1)
    try store.write { transaction in
      let now = try transaction.now()
      var place = -1
      while place + 1 < count {
        // Most are random ones, which the algorithm takes in like its own; to be asked for all takes longer.
        let candidate: Candidate?
        if place < Self.mostOwn {
          candidate = algorithm.ask(1).first
          if candidate == nil { break }
        } else {
          guard let stranger = strangers.ask() else { break }
          candidate = algorithm.adopt(UnmeasuredNetwork(genome: stranger.genome, key: stranger.key))
        }
        guard let candidate else { continue }
        place += 1
        let values = objectives(candidate.genome)
        try algorithm.tell([Evaluation(id: candidate.id, objectives: values)])
        var trial = Trial(candidate, created: now)
        trial.state = .complete
        trial.objectives = values
        trial.finished = now
        trial.finishOrder = place
        trial.isTold = true
        try transaction.insert(trial, into: study.id)
      }
      try transaction.save(
        AlgorithmRecord(revision: count + 1, state: try algorithm.savedState()), of: study.id)
    }
  }

  /// Costs as they are, and an error that falls with the choices taken.
  func objectives(_ genome: Genome) -> [Double] {
    var values = definition.networkDomain?.knownObjectives(of: genome) ?? [0, 1, 1]
    let effort = genome.values.reduce(0, +)
    values[0] = 40 / Double(1 + effort) + 3
    return values
  }
}
