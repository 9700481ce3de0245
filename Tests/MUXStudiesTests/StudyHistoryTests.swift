// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import MUXStudies
import Testing

@Suite("The history of a study")
struct StudyHistoryTests {
  /// A study that was worked through, with its trials.
  private func worked(_ count: Int) throws -> (Study, [Trial]) {
    let coordinator = StudyCoordinator(MemoryStore())
    let study = try coordinator.create("a", Sample.definition(trials: count))
    try coordinator.workThrough(study, Sample.worker(1))
    return (study, try coordinator.trials(study))
  }

  @Test("Trial by trial it comes to what the standings compute from all")
  func agreesWithStandings() throws {
    let (study, trials) = try worked(60)
    var history = try StudyHistory(study.definition)
    let ordered = trials.sorted { ($0.finishOrder ?? 0) < ($1.finishOrder ?? 0) }
    for (count, trial) in ordered.enumerated() {
      history.add(trial)
      guard count % 7 == 0 || count == 59 else { continue }
      let standings = try StudyStandings(study, trials: Array(ordered.prefix(count + 1)))
      #expect(abs((history.hypervolume.last?.value ?? 0) - standings.hypervolume) < 1e-12)
      #expect(
        Set(history.front.map { history.completed[$0].number })
          == Set(standings.front.map(\.number)))
      for (leader, best) in zip(history.leaders, standings.best) {
        #expect(leader?.trial.number == best.trial.number)
        #expect(leader?.value == best.value)
      }
    }
    let steps = history.hypervolume
    #expect(zip(steps, steps.dropFirst()).allSatisfy { $0.count < $1.count && $0.value < $1.value })
    for best in history.best {
      #expect(zip(best, best.dropFirst()).allSatisfy { $0.count < $1.count && $0.value > $1.value })
    }
  }

  @Test("The nearest share has the least g of each target")
  func nearest() throws {
    let (study, trials) = try worked(60)
    let history = try StudyHistory(study.definition, trials: trials)
    let found = history.nearest(share: 0.2)
    let expected = history.targets.indices.flatMap { target in
      history.completed.indices.sorted {
        history.value(history.completed[$0], target: target)
          < history.value(history.completed[$1], target: target)
      }.prefix(6)
    }
    #expect(Set(found) == Set(expected))
    #expect(try StudyHistory(study.definition).nearest(share: 0.1).isEmpty)
  }

  @Test("Trials over a measured limit are neither the best nor on the front")
  func violations() throws {
    let (study, trials) = try worked(10)
    var broken = trials[3]
    broken.violation = 1
    broken.objectives = [0, 1, 1]
    let history = try StudyHistory(
      study.definition, trials: [broken] + trials.filter { $0.number != 3 })
    #expect(!history.leaders.contains { $0?.trial.number == 3 })
    #expect(!history.front.contains { history.completed[$0].number == 3 })
  }

  @Test("Every gene has a name for each of its choices")
  func choices() throws {
    for name in ["digits", "small", "imagenet"] {
      let domain = NetworkDomain(try NetworkSpace.named(name))
      #expect(domain.choiceTexts.map(\.count) == domain.genes.map(\.choices))
      #expect(domain.choiceTexts.allSatisfy { Set($0).count == $0.count })
    }
  }
}
