// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXSearch
import MUXStudies
import MUXStudyTestSupport
import MUXTestSupport
import Testing

/// What evaluation commands print: results, notes, units, logs, reports on the way.
@Suite("What evaluation commands print", .tags(.processes), .endsSometime, .onWaitingThreads)
struct PrintedValuesTests {
  private func run(
    _ line: String, trials: Int = 1, own: [Objective] = [], prune: Bool = false
  ) throws -> (study: Study, trials: [Trial], coordinator: StudyCoordinator) {
    let coordinator = StudyCoordinator(MemoryStore())
    var definition = try StudyDefinition(
      networks: NetworkSpace.named("digits"), own: own,
      targets: [.budget("any", ["params": 1e6])], algorithm: .random, seed: 1,
      evaluation: .command(line: line), limits: StudyLimits(trials: trials, timeout: 60))
    if prune { definition.earlyStopping = ParetoHalving.Settings() }
    let study = try coordinator.create("a", definition)
    let worker = StudyWorker(coordinator) { _ in CommandEvaluator(line: line) }
    #expect(try worker.run([study], shouldStop: { false }) == .done)
    return (study, try coordinator.trials(study), coordinator)
  }

  private let energy = Objective(
    Metric("energy", unit: "mJ", direction: .lower, format: .scaled), scale: 5)

  @Test("What is no objective is kept with the trial, and the rest as its log")
  func notes() throws {
    let line =
      "echo loading; echo careful >&2; "
      + #"echo '{"error": 7, "energy": 3.5, "note": "x", "flag": true, "list": [1, "b"]}'"#
    let trial = try run(line).trials[0]
    #expect(trial.state == .complete && trial.objectives?[0] == 7)
    #expect(
      trial.attributes == [
        "energy": "3.5", "note": "x", "flag": "true", "list": "[1.0, b]",
        "log": "loading\ncareful",
      ])
  }

  @Test("What an evaluation prints never stands for what the study itself keeps with a trial")
  func reserved() throws {
    let (study, trials, coordinator) = try run(
      #"echo '{"error": 7, "took": 3600, "held": 60}'"#)
    #expect(trials[0].attributes == ["evaluation.took": "3600.0", "evaluation.held": "60.0"])
    #expect(try #require(trials[0].seconds) < 600)
    for key in ["took", "held"] {
      let error = #expect(throws: StudyError.self) {
        try coordinator.setAttributes([key: "3"], ofTrial: 0, of: study)
      }
      #expect("\(error as Any)".contains("'\(key)' is kept by the study itself"))
    }
    try coordinator.setAttributes(["note": "odd"], ofTrial: 0, of: study)
    #expect(try coordinator.trials(study)[0].attributes["note"] == "odd")
  }

  @Test("A violation is no note: networks without one are better, whatever their error")
  func violation() throws {
    let line =
      #"if [ $MUXNET_TRIAL = 1 ]; then echo '{"error": 90}'; "#
      + #"else echo '{"error": 2, "violation": 0.5}'; fi"#
    let (study, trials, coordinator) = try run(line, trials: 3)
    #expect(trials.map(\.violation) == [0.5, 0, 0.5])
    #expect(trials.allSatisfy { $0.attributes.isEmpty }, "\(trials.map(\.attributes))")
    #expect(try coordinator.standings(of: study).best.map(\.trial.number) == [1])
  }

  @Test("The log of a failure is kept too, and its end where it is long")
  func longLog() throws {
    let trial = try run("seq 1 3000; echo broken >&2; exit 3").trials[0]
    #expect(trial.state == .failed)
    let log = try #require(trial.attributes["log"])
    #expect(log.utf8.count <= 2_000 && log.hasSuffix("3000\nbroken"), "\(log.suffix(30))")
  }

  @Test("Objectives of one's own have a unit, and a value in another one is refused")
  func units() throws {
    let right = try run(
      #"echo '{"error": 7, "energy": {"value": 3, "unit": "mJ"}}'"#, own: [energy])
    #expect(right.trials[0].objectives?.last == 3)
    let wrong = try run(#"echo '{"error": 7, "energy": {"value": 3, "unit": "J"}}'"#, own: [energy])
    #expect(wrong.trials[0].reason == "the evaluation gave 'energy' in J; it is counted in mJ")
    let text = try run(#"echo '{"error": 7, "energy": "much"}'"#, own: [energy])
    #expect(text.trials[0].reason == "the evaluation gave 'much' for 'energy', not a number")
    let missing = try run(#"echo '{"error": 7, "power": 3}'"#, own: [energy])
    #expect(missing.trials[0].reason == "the evaluation gave no 'energy', but power")
  }

  @Test("Reports on the way are kept, and stop what is hopeless with the values of the moment")
  func reports() throws {
    // Ever worse: each of the later ones is stopped at its first report, and would sleep for long.
    let line =
      #"echo "{\"report\": 1, \"error\": $((MUXNET_TRIAL + 20))}"; "#
      + #"if [ $MUXNET_TRIAL -gt 2 ]; then sleep 50; fi; "#
      + #"echo "{\"report\": 2, \"error\": 15}"; echo "{\"error\": 9}""#
    let (study, trials, coordinator) = try run(line, trials: 7, prune: true)
    let states: [TrialState] = trials.map(\.state)
    #expect(
      states == [.complete, .complete, .complete, .pruned, .pruned, .pruned, .pruned],
      "\(trials.map(\.reason))")
    for trial in trials where trial.state == .pruned {
      #expect(trial.objectives?[0] == Double(trial.number + 20))
    }
    let reports = try coordinator.store.read {
      try $0.reports(of: study.id, resource: 1, trial: nil)
    }
    #expect(Set(reports.map(\.trial)) == Set(0..<7))
    let second = try coordinator.store.read { try $0.reports(of: study.id, resource: 2, trial: 0) }
    #expect(second.first?.objectives.first == 15)
    let none = try run(#"echo '{"report": 1, "error": 5}'"#)
    #expect(
      none.trials[0].reason?.hasPrefix("the command printed no result after its last") == true)
  }

  @Test("A report that lacks an objective is named as such, since the result may have it")
  func incompleteReports() throws {
    let result = #"echo '{"error": 5, "energy": 3}'"#
    let lacking = try run(#"echo '{"report": 3, "error": 20}'; "# + result, own: [energy])
    #expect(lacking.trials[0].state == .failed)
    #expect(
      lacking.trials[0].reason == "in the report of 3: the evaluation gave no 'energy'")
    let whole = try run(
      #"echo '{"report": 3, "error": 20, "energy": 4}'; "# + result, own: [energy])
    #expect(whole.trials[0].state == .complete, "\(whole.trials[0].reason ?? "")")
  }

  @Test("A study that begins far outside of its scales has a hypervolume above 0")
  func hypervolume() throws {
    let (study, trials, _) = try run("echo \"{\\\"error\\\": $((90 - MUXNET_TRIAL))}\"", trials: 5)
    let history = try StudyHistory(study.definition, trials: trials)
    let steps = history.hypervolume.map(\.value)
    #expect(steps.first ?? 0 > 0)
    #expect(zip(steps, steps.dropFirst()).allSatisfy { $0 < $1 })
    #expect(abs(history.corner[0] - 1.1 * 90 / study.definition.objectives[0].scale) < 1e-12)
  }
}
