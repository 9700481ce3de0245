// SPDX-License-Identifier: Apache-2.0
import Foundation
package import MUXSearch
package import MUXStudies
package import MUXTestSupport

/// The stores that the contract is tested on.
package enum StoreKind: String, CaseIterable, Sendable {
  case memory, sqlite, postgres

  package static var available: [StoreKind] {
    allCases.filter { $0 != .postgres || PostgresServer.isAvailable }
  }

  /// The stores that several processes, or several handles of one, can open.
  package static var shared: [StoreKind] { available.filter { $0 != .memory } }

  /// An empty storage; `folder` has to live as long as it is used.
  package func url(in folder: TemporaryFolder) throws -> StorageURL {
    switch self {
    case .memory: StorageURL(.memory)
    case .sqlite: StorageURL(.sqlite(path: folder("studies.db")))
    case .postgres: try PostgresServer.shared.get().newDatabase()
    }
  }
}

/// Definitions and processes for tests of studies.
package enum Sample {
  package static let targets = [
    ReferenceTarget("small", ["params": 5e3, "madds": 1e5]),
    ReferenceTarget("large", ["params": 4e4, "madds": 8e5]),
  ]

  /// A search of the digits' space; the evaluation is the test's own.
  package static func definition(
    trials: Int = 20, algorithm: AlgorithmSettings = .moead(), seed: UInt64 = 1,
    evaluation: EvaluationMethod = .command(line: "false"), lease: Double = 30, retries: Int = 3
  ) throws -> StudyDefinition {
    try StudyDefinition(
      networks: NetworkSpace.named("digits"), targets: targets, algorithm: algorithm, seed: seed,
      evaluation: evaluation,
      limits: StudyLimits(trials: trials, retries: retries, lease: lease))
  }

  /// Processes that do not exist, on a machine that does not.
  package static func worker(_ number: Int32) -> ProcessIdentity {
    ProcessIdentity(host: "elsewhere", process: number, nonce: "0000000\(number)")
  }

  /// Objectives that follow from the genome: a smooth error, the true costs.
  package static func objectives(_ trial: Trial, _ definition: StudyDefinition) throws -> [Double] {
    let domain = try definition.problem().domain
    var values = domain.knownObjectives(of: trial.genome) ?? []
    let genes = domain.genes
    let effort = zip(trial.genome.values, genes).reduce(0.0) {
      $0 + Double($1.0) / Double(max($1.1.choices - 1, 1))
    }
    values[0] = 40 * exp(-effort / Double(genes.count) * 3)
    return values
  }
}

extension StudyCoordinator {
  /// The next trial of a worker, or an error if there is none.
  package func take(_ study: Study, _ worker: ProcessIdentity) throws -> TrialLease {
    guard case .trial(let lease) = try next(of: study, for: worker) else { throw NoTrial() }
    return lease
  }

  package struct NoTrial: Error {}

  /// Works alone until the study is done; gives the genomes in the order of the trials.
  @discardableResult
  package func workThrough(_ study: Study, _ worker: ProcessIdentity) throws -> [Genome] {
    var genomes: [Genome] = []
    while case .trial(let lease) = try next(of: study, for: worker) {
      genomes.append(lease.trial.genome)
      let values = try Sample.objectives(lease.trial, study.definition)
      try finish(lease, .complete(objectives: values))
    }
    return genomes
  }

  /// All trials of a study.
  package func trials(_ study: Study) throws -> [Trial] {
    try store.read { try $0.trials(of: study.id, in: [], limit: nil) }
  }
}
