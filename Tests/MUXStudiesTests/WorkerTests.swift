// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation
import MUXSearch
import MUXStudies
import MUXStudyTestSupport
import MUXTestSupport
import Synchronization
import Testing

/// An evaluation that is a closure.
private struct Closure: TrialEvaluator {
  let body: @Sendable (EvaluationRequest, EvaluationContext) throws -> [String: Double]

  func evaluate(
    _ request: EvaluationRequest, _ context: EvaluationContext
  ) throws -> [String: Double] {
    try body(request, context)
  }
}

@Suite("A worker and evaluations of all kinds", .tags(.processes), .endsSometime, .onWaitingThreads)
struct WorkerTests {
  private struct Broken: Error, CustomStringConvertible {
    var description: String { "two\nlines" }
  }

  private func run(
    trials: Int = 3, timeout: Double? = nil, lease: Double = 30,
    shouldStop: @escaping @Sendable () -> Bool = { false },
    _ body: @escaping @Sendable (EvaluationRequest, EvaluationContext) throws -> [String: Double]
  ) throws -> (StudyWorker.Ending, [Trial]) {
    let coordinator = StudyCoordinator(MemoryStore())
    var definition = try Sample.definition(trials: trials)
    definition.limits.timeout = timeout
    definition.limits.lease = lease
    let study = try coordinator.create("a", definition)
    let worker = StudyWorker(coordinator) { _ in Closure(body: body) }
    worker.grace = 0.2
    worker.tick = 0.01
    let ending = try worker.run([study], shouldStop: shouldStop)
    return (ending, try coordinator.trials(study))
  }

  @Test("What the network alone tells is added to what was measured")
  func merges() throws {
    let (ending, trials) = try run { request, context in
      context.note("number", "\(request.trial.number)")
      return ["error": Double(request.trial.number) + 0.5]
    }
    #expect(ending == .done)
    for trial in trials {
      let domain = NetworkDomain(try .named("digits"))
      let costs = try #require(domain.costs(of: trial.genome))
      #expect(
        trial.objectives
          == [Double(trial.number) + 0.5, Double(costs.parameters), Double(costs.multiplyAdds)])
      #expect(trial.attributes == ["number": "\(trial.number)"])
    }
  }

  @Test("Errors, missing values, NaN and infinity are failures with their reason, on one line")
  func failures() throws {
    let (ending, trials) = try run(trials: 4) { request, _ in
      switch request.trial.number {
      case 0: throw Broken()
      case 1: return [:]
      case 2: return ["error": .nan]
      default: return ["error": -.infinity]
      }
    }
    #expect(ending == .done)
    #expect(trials.allSatisfy { $0.state == .failed && $0.objectives == nil })
    #expect(
      trials.map(\.reason) == [
        "two lines", "the evaluation gave no 'error'", "'error' is nan, not a finite number",
        "'error' is -inf, not a finite number",
      ])
  }

  @Test("An evaluation over its time fails, and the worker goes on if it ends when asked to")
  func timeout() throws {
    let (ending, trials) = try run(timeout: 0.1) { request, context in
      while request.trial.number == 1, !context.isCancelled { usleep(1000) }
      return ["error": 1]
    }
    #expect(ending == .done)
    #expect(trials.map(\.state) == [.complete, .failed, .complete])
    #expect(trials[1].reason == "took longer than 0.1 s")
  }

  @Test("An evaluation that hangs for good fails, and the worker asks to be replaced")
  func hang() throws {
    let release = DispatchSemaphore(value: 0)
    defer { release.signal() }
    let (ending, trials) = try run(timeout: 0.1) { request, _ in
      if request.trial.number == 1 { release.wait() }
      return ["error": 1]
    }
    #expect(ending == .hung)
    #expect(trials.map(\.state) == [.complete, .failed])
    #expect(trials[1].reason == "took longer than 0.1 s")
  }

  @Test("A version is refused while another one works, else takes over and ends it")
  func versions() throws {
    let coordinator = StudyCoordinator(MemoryStore())
    let study = try coordinator.create("a", Sample.definition(trials: 3))
    func takeOver() throws {
      try coordinator.agree(onVersion: "2", of: coordinator.study(named: "a"))
    }
    let old = StudyWorker(
      coordinator,
      observer: { event in
        // Between two trials nobody works.
        if case .ended = event { #expect(throws: Never.self) { try takeOver() } }
      },
      makeEvaluator: { _ in
        Closure { _, _ in
          let error = #expect(throws: StudyError.self) {
            try coordinator.agree(onVersion: "2", of: coordinator.study(named: "a"))
          }
          #expect(
            error?.description
              == "study 'a' is being worked on by muxnet 1, but this is 2: start workers of the same version,"
              + " or of this one once those have ended")
          return ["error": 1]
        }
      })
    old.tick = 0.01
    old.version = "1"
    let refusal = #expect(throws: StudyError.self) { try old.run([study]) { false } }
    #expect(refusal?.description.contains("worked on by muxnet 2, but this is 1") == true)
    let new = StudyWorker(coordinator) { _ in Closure { _, _ in ["error": 2] } }
    new.tick = 0.01
    new.version = "2"
    #expect(try new.run([coordinator.study(named: "a")]) { false } == .done)
    // What the old one had taken came to the new one.
    let trials = try coordinator.trials(study)
    #expect(trials.map(\.state) == [.complete, .complete, .complete])
    #expect(trials.compactMap { $0.objectives?.first } == [1, 2, 2])
    #expect(try coordinator.study(named: "a").attributes[StudyCoordinator.versionKey] == "2")
  }

  @Test("A worker that is asked to stop puts its trial back")
  func stop() throws {
    let started = Atomic<Bool>(false)
    let (ending, trials) = try run(shouldStop: { started.load(ordering: .relaxed) }) { _, context in
      started.store(true, ordering: .relaxed)
      while !context.isCancelled { usleep(1000) }
      return ["error": 1]
    }
    #expect(ending == .stopped)
    #expect(trials.map(\.state) == [.waiting])
    #expect(trials[0].attempt == 0)
  }

  @Test("Heart-beats keep a trial that takes longer than its lease")
  func heartBeats() throws {
    let (ending, trials) = try run(trials: 1, lease: 0.5) { _, _ in
      usleep(1_200_000)
      return ["error": 1]
    }
    #expect(ending == .done)
    #expect(trials.map(\.state) == [.complete])
    #expect(trials[0].attempt == 1)
  }

  @Test("A training that is not among the best is pruned with the values of the moment")
  func pruning() throws {
    let coordinator = StudyCoordinator(MemoryStore())
    var definition = try Sample.definition(trials: 12, algorithm: .random)
    definition.earlyStopping = ParetoHalving.Settings()
    let study = try coordinator.create("a", definition)
    let worker = StudyWorker(coordinator) { _ in
      Closure { request, context in
        var error = 90.0 - Double(request.trial.number % 2) * 60
        for epoch in 1...9 {
          error *= 0.9
          if try context.report(epoch, ["error": error]) == .stop { break }
        }
        return ["error": error]
      }
    }
    try #expect(worker.run([study], shouldStop: { false }) == .done)
    let trials = try coordinator.trials(study)
    let pruned = trials.filter { $0.state == .pruned }
    #expect(!pruned.isEmpty)
    #expect(trials.contains { $0.state == .complete })
    for trial in pruned {
      let start = 90.0 - Double(trial.number % 2) * 60
      let epochs = [1, 3, 9].first { (trial.reason ?? "").contains("after \($0) epochs") }
      let rung = try #require(epochs)
      let error = try #require(trial.objectives?.first)
      #expect(abs(error - start * pow(0.9, Double(rung))) < 1e-9)
    }
  }

  @Test("Latency is measured where it is an objective")
  func latency() throws {
    let coordinator = StudyCoordinator(MemoryStore(), latency: StemLatency())
    let definition = try StudyDefinition(
      networks: .named("digits"), quantities: [.error, .latency], targets: [], algorithm: .random,
      seed: 1, evaluation: .command(line: "x"), limits: StudyLimits(trials: 2))
    let study = try coordinator.create("a", definition)
    let worker = StudyWorker(coordinator) { _ in Closure { _, _ in ["error": 4] } }
    #expect(try worker.run([study], shouldStop: { false }) == .done)
    for trial in try coordinator.trials(study) {
      let objectives = try #require(trial.objectives, "\(trial.reason ?? "")")
      let domain = try #require(study.definition.networkDomain)
      #expect(objectives[0] == 4)
      #expect(objectives[1] == StemLatency.milliseconds(try domain.architecture(trial.genome)))
    }
  }

  @Test("A value that is known exactly stands, and what an evaluation printed instead is noted")
  func knownValuesStand() throws {
    let (ending, trials) = try run(trials: 2) { request, context in
      // Midway reports are held to the same.
      _ = try context.report(1, ["error": 50, "params": 1])
      let known = try #require(request.knownValues["params"])
      return ["error": 7, "params": request.trial.number == 0 ? 1 : known]
    }
    #expect(ending == .done)
    let domain = NetworkDomain(try .named("digits"))
    for trial in trials {
      let costs = try #require(domain.costs(of: trial.genome))
      #expect(trial.objectives == [7, Double(costs.parameters), Double(costs.multiplyAdds)])
    }
    #expect(trials.map(\.attributes) == [["ignored.params": "1.0"], [:]])
  }

  @Test("A limit on latency is measured: a wide one admits all, one that nothing keeps is an error")
  func latencyLimit() throws {
    func definition(_ most: Double) throws -> StudyDefinition {
      var space = try NetworkSpace.named("digits")
      space.constraints.maximumLatency = most
      return try StudyDefinition(
        networks: space, targets: [], algorithm: .random, seed: 1, evaluation: .command(line: "x"),
        limits: StudyLimits(trials: 3))
    }
    let coordinator = StudyCoordinator(MemoryStore(), latency: StemLatency())
    let wide = try coordinator.create("wide", try definition(1000))
    let worker = StudyWorker(coordinator) { _ in Closure { _, _ in ["error": 4] } }
    #expect(try worker.run([wide], shouldStop: { false }) == .done)
    #expect(try coordinator.trials(wide).count == 3)
    // No network takes less than a nanosecond.
    let error = try #require(throws: StudyError.self) {
      try coordinator.create("narrow", try definition(1e-6))
    }
    #expect("\(error)".contains("raise the limit on latency"), "\(error)")
    let deaf = try #require(throws: StudyError.self) {
      try StudyCoordinator(MemoryStore()).create("a", try definition(1000))
    }
    #expect("\(deaf)".contains("nothing measures it here"), "\(deaf)")
  }

  @Test("A study that is deleted under its worker ends the work")
  func deletion() throws {
    let store = MemoryStore()
    let coordinator = StudyCoordinator(store)
    let study = try coordinator.create("a", try Sample.definition())
    let worker = StudyWorker(coordinator) { _ in
      Closure { request, _ in
        if request.trial.number == 1 { try StudyCoordinator(store).delete(study) }
        return ["error": 1]
      }
    }
    try #expect(worker.run([study], shouldStop: { false }) == .done)
  }

  @Test("A command gives its objectives in the last line, and is told about the network")
  func command() throws {
    let coordinator = StudyCoordinator(MemoryStore())
    let definition = try Sample.definition(
      trials: 1,
      evaluation: .command(
        line: """
          python3 -c 'import json, sys
          given = json.load(sys.stdin)
          assert "\\nname: muxnet_digits-0\\n" in given["architecture"]
          assert len(given["genes"]) == len(given["genome"]) == 18
          print("progress")
          print(json.dumps({"error": given["known"]["params"] / 1000}))'
          """))
    let study = try coordinator.create("a", definition)
    let worker = StudyWorker(coordinator) { _ in
      CommandEvaluator(
        line: { if case .command(let line) = $0 { line } else { "" } }(definition.evaluation))
    }
    try #expect(worker.run([study], shouldStop: { false }) == .done)
    let trial = try coordinator.trials(study)[0]
    #expect(trial.state == .complete, "\(trial.reason ?? "")")
    let objectives = try #require(trial.objectives)
    #expect(objectives[0] == objectives[1] / 1000)
  }

  @Test("A command that prints without end is stopped")
  func endlessOutput() throws {
    let coordinator = StudyCoordinator(MemoryStore())
    let line = "yes; echo '{\"error\": 1}'"
    let study = try coordinator.create(
      "a", try Sample.definition(trials: 1, evaluation: .command(line: line)))
    let worker = StudyWorker(coordinator) { _ in
      CommandEvaluator(line: line, mostOutput: 1 << 20)
    }
    try #expect(worker.run([study], shouldStop: { false }) == .done)
    let reason = try #require(try coordinator.trials(study)[0].reason)
    #expect(reason.hasPrefix("the command printed more than 1048576 bytes"), "\(reason)")
  }

  @Test(
    "Commands that fail say why",
    arguments: [
      ("echo one >&2; echo oh dear >&2; exit 3", "the command ended with exit code 3: oh dear"),
      ("kill -9 $$", "the command ended with signal 9: no message"),
      ("true", "the command printed no result"),
      ("echo hello", "the command's last line is no JSON object of numbers"),
      ("echo '{\"error\": NaN}'", "the command printed NaN, not a finite number"),
      ("echo '{\"loss\": 1}'", "the evaluation gave no 'error'"),
      ("sleep 30", "took longer than 0.5 s"),
    ])
  func badCommands(line: String, reason: String) throws {
    let coordinator = StudyCoordinator(MemoryStore())
    var definition = try Sample.definition(trials: 1, evaluation: .command(line: line))
    definition.limits.timeout = line.hasPrefix("sleep") ? 0.5 : 20
    let study = try coordinator.create("a", definition)
    let worker = StudyWorker(coordinator) { _ in CommandEvaluator(line: line) }
    try #expect(worker.run([study], shouldStop: { false }) == .done)
    let trial = try coordinator.trials(study)[0]
    #expect(trial.state == .failed)
    #expect((trial.reason ?? "").hasPrefix(reason), "\(trial.reason ?? "")")
  }
}
