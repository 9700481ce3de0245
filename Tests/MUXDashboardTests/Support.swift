// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import MUXSearch
import MUXStudies

/// Studies that were never searched: trials with errors that follow from their genomes.
enum Sample {
  static let targets = [
    ReferenceTarget("small", ["params": 5e3, "madds": 1e5]),
    ReferenceTarget("large <b>&\"", ["params": 4e4, "madds": 8e5]),
  ]

  static func definition(
    targets: [ReferenceTarget] = Self.targets, trials: Int = 100
  ) throws -> StudyDefinition {
    try StudyDefinition(
      networks: NetworkSpace.named("digits"), targets: targets, algorithm: .random, seed: 1,
      evaluation: .command(line: "echo '<script>alert(1)</script>'"),
      limits: StudyLimits(trials: trials))
  }

  /// A store with a study of `count` complete trials, a failed, a running and a waiting one more.
  static func store(
    _ count: Int, name: String = "demo", targets: [ReferenceTarget] = Self.targets,
    in store: any StudyStore = MemoryStore()
  ) throws -> any StudyStore {
    let definition = try definition(targets: targets, trials: count + 3)
    let study = try StudyCoordinator(store).create(name, definition)
    let trials = try trials(count + 3, definition)
    try store.write { transaction in
      for trial in trials { try transaction.insert(trial, into: study.id) }
    }
    return store
  }

  static func trials(_ count: Int, _ definition: StudyDefinition) throws -> [Trial] {
    guard let domain = definition.networkDomain else { return [] }
    var seen: Set<ArchitectureKey> = []
    var state: UInt64 = 1
    var trials: [Trial] = []
    while trials.count < count {
      let genome = Genome(
        domain.genes.map { gene in
          state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          return Int((state >> 33) % UInt64(gene.choices))
        })
      guard let canonical = domain.canonical(genome) else { continue }
      let key = domain.key(of: canonical)
      guard seen.insert(key).inserted, var values = domain.knownObjectives(of: canonical) else {
        continue
      }
      let number = trials.count
      values[0] = 3 + 4e4 / values[1] + Double(state >> 60) / 4
      var trial = Trial(
        Candidate(id: number, genome: canonical, key: key, subproblem: 0),
        created: Date(timeIntervalSince1970: 1e9 + Double(number)))
      trial.worker = "host:1:0000000a"
      trial.started = trial.created
      trial.attempt = 1
      if number < count - 2 {
        trial.finished = trial.created.addingTimeInterval(2)
        trial.finishOrder = number
        trial.state = number == count - 3 ? .failed : .complete
        trial.objectives = trial.state == .complete ? values : nil
        trial.reason = trial.state == .failed ? "exit code 1: <img src=x>" : nil
      } else if number == count - 2 {
        trial.state = .running
        trial.leaseEnd = Date(timeIntervalSinceNow: 1e6)
      }
      trials.append(trial)
    }
    return trials
  }
}
