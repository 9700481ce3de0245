// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import MUXStudies
import MUXStudyTestSupport
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

  @Test("Trial by trial it comes to what is computed from all at once")
  func agreesWithAll() throws {
    let (study, trials) = try worked(60)
    let objectives = study.definition.objectives
    let decomposition = try study.definition.decomposition()
    var history = try StudyHistory(study.definition)
    let ordered = trials.sorted { ($0.finishOrder ?? 0) < ($1.finishOrder ?? 0) }
    for (count, trial) in ordered.enumerated() {
      history.add(trial)
      guard count % 7 == 0 || count == 59 else { continue }
      let completed = Array(ordered.prefix(count + 1))
      let points = completed.map { zip($0.objectives ?? [], objectives).map { $0 / $1.scale } }
      let corner = history.corner
      let volume = Indicators.hypervolume(points, reference: corner) / corner.reduce(1, *)
      #expect(abs((history.hypervolume.last?.value ?? 0) - volume) < 1e-12)
      let front = NonDominatedSorting.front(completed.map { $0.objectives ?? [] })
      #expect(
        Set(history.front.map { history.completed[$0].number })
          == Set(front.map { completed[$0].number }))
      let best = try #require(Indicators.best(points, decomposition))
      for (leader, best) in zip(history.leaders, best) {
        #expect(leader?.trial.number == completed[best.index].number)
        #expect(leader?.value == best.value)
      }
      let standings = try StudyStandings(study, trials: completed.reversed())
      #expect(standings.hypervolume == history.hypervolume.last?.value ?? 0)
      #expect(standings.front.count == front.count)
      #expect(standings.best.map(\.trial.number) == best.map { completed[$0.index].number })
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
