// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import MUXSearch
import MUXStudies
import MUXTestSupport

/// The stores that the contract is tested on.
enum StoreKind: String, CaseIterable, Sendable {
  case memory, sqlite, postgres

  static var available: [StoreKind] {
    allCases.filter { $0 != .postgres || PostgresServer.isAvailable }
  }

  /// The stores that several processes, or several handles of one, can open.
  static var shared: [StoreKind] { available.filter { $0 != .memory } }

  /// An empty storage; `folder` has to live as long as it is used.
  func url(in folder: TemporaryFolder) throws -> StorageURL {
    switch self {
    case .memory: StorageURL(.memory)
    case .sqlite: StorageURL(.sqlite(path: folder("studies.db")))
    case .postgres: try PostgresServer.shared.get().newDatabase()
    }
  }
}

/// Definitions and processes for tests.
enum Sample {
  static let targets = [
    ReferenceTarget("small", ["params": 5e3, "madds": 1e5]),
    ReferenceTarget("large", ["params": 4e4, "madds": 8e5]),
  ]

  /// A search of the digits' space; the evaluation is the test's own.
  static func definition(
    trials: Int = 20, algorithm: AlgorithmSettings = .moead(), seed: UInt64 = 1,
    evaluation: EvaluationMethod = .command(line: "false"), lease: Double = 30, retries: Int = 3
  ) throws -> StudyDefinition {
    try StudyDefinition(
      networks: NetworkSpace.named("digits"), targets: targets, algorithm: algorithm, seed: seed,
      evaluation: evaluation,
      limits: StudyLimits(trials: trials, retries: retries, lease: lease))
  }

  /// Processes that do not exist, on a machine that does not.
  static func worker(_ number: Int32) -> ProcessIdentity {
    ProcessIdentity(host: "elsewhere", process: number, nonce: "0000000\(number)")
  }

  /// Objectives that follow from the genome: a smooth error, the true costs.
  static func objectives(_ trial: Trial, _ definition: StudyDefinition) throws -> [Double] {
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

/// Milliseconds by the width of the stem, as a stand-in for a stopwatch.
struct StemLatency: LatencyMeasure {
  static func milliseconds(_ architecture: Architecture) -> Double {
    Double(architecture.stem.channels) / 8
  }

  func milliseconds(_ architecture: Architecture) -> Double { Self.milliseconds(architecture) }
}

/// Takes a storage back to the tables of an older version, with what was in it.
enum OldStorage {
  static func statements(to version: Int) -> [String] {
    let second = [
      """
      UPDATE muxnet_studies SET algorithm = \
      (SELECT state FROM muxnet_states WHERE study = muxnet_studies.id)
      """,
      "DROP TABLE muxnet_states", "DROP TABLE muxnet_steps",
    ]
    let first = ["DROP TABLE muxnet_reports", "DROP INDEX muxnet_trials_untold"]
    return second + (version < 2 ? first : [])
      + ["UPDATE muxnet_schema SET version = \(version)"]
  }
}

extension StudyCoordinator {
  /// The next trial of a worker, or an error if there is none.
  func take(_ study: Study, _ worker: ProcessIdentity) throws -> TrialLease {
    guard case .trial(let lease) = try next(of: study, for: worker) else { throw NoTrial() }
    return lease
  }

  struct NoTrial: Error {}

  /// Works alone until the study is done; gives the genomes in the order of the trials.
  @discardableResult
  func workThrough(_ study: Study, _ worker: ProcessIdentity) throws -> [Genome] {
    var genomes: [Genome] = []
    while case .trial(let lease) = try next(of: study, for: worker) {
      genomes.append(lease.trial.genome)
      let values = try Sample.objectives(lease.trial, study.definition)
      try finish(lease, .complete(objectives: values))
    }
    return genomes
  }

  /// All trials of a study.
  func trials(_ study: Study) throws -> [Trial] {
    try store.read { try $0.trials(of: study.id, in: [], limit: nil) }
  }
}
