// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworkFiles
import MUXNetworks
import MUXSearch
import MUXStudies
import MUXStudyTestSupport
import MUXTestSupport
import Testing

@Suite("Fixed lists of networks", .tags(.waits), .endsSometime, .onWaitingThreads)
struct StudyGridTests {
  private func grid(_ names: [String] = ["a", "b", "c"], seeds: [UInt64] = [7, 3]) -> StudyGrid {
    StudyGrid(
      networks: names.map {
        .init($0, settings: ["epochs=\($0.count)"], costs: ["params": 1000, "madds": 2000])
      }, seeds: seeds)
  }

  private func definition(_ grid: StudyGrid) throws -> StudyDefinition {
    try StudyDefinition(grid: grid, evaluation: .command(line: "false"))
  }

  @Test("Lists are the same where their networks are, in whatever form numbers stand")
  func sameNetworks() throws {
    let text = try NetworkFile.yaml(ModelZoo.architecture(named: "muxnet_digits"))
    // As earlier versions wrote it.
    let earlier = text.replacing("dropoutRate: 0.1\n", with: "dropoutRate: 1e-1\n")
    let other = text.replacing("dropoutRate: 0.1\n", with: "dropoutRate: 0.5\n")
    #expect(earlier != text && other != text)
    func list(_ text: String) -> StudyGrid {
      StudyGrid(networks: [.init("a", architecture: text)], seeds: [1])
    }
    #expect(list(text) == list(earlier) && list(text).hashValue == list(earlier).hashValue)
    #expect(list(text) != list(other))
  }

  @Test(
    "Each network is given out once with each seed, a seed at a time, also by several processes",
    arguments: StoreKind.shared)
  func order(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let url = try kind.url(in: folder)
    let study = try StudyCoordinator(try StudyStorage.open(url, for: .create))
      .create("a", try definition(grid()))
    #expect(study.definition.limits.trials == 6)
    var found: [String] = []
    for number in 0..<6 {
      // As another process, which knows nothing but the storage.
      let coordinator = StudyCoordinator(try StudyStorage.open(url, for: .write))
      let lease = try coordinator.take(study, Sample.worker(Int32(number + 1)))
      let point = try #require(study.definition.grid?.point(of: lease.trial.genome))
      found.append("\(point.network.name)\(point.seed)")
      let request = EvaluationRequest(
        study: study, trial: lease.trial, problem: try study.definition.problem())
      try #expect(request.objectives(measured: ["error": 5]) == [5, 1000, 2000])
      // Failures of one do not keep the others.
      try coordinator.finish(
        lease, number == 1 ? .failed(reason: "x") : .complete(objectives: [5, 1000, 2000]))
    }
    #expect(found == ["a7", "b7", "c7", "a3", "b3", "c3"])
    let coordinator = StudyCoordinator(try StudyStorage.open(url, for: .write))
    try #expect(coordinator.next(of: study, for: Sample.worker(9)) == .done)
    // The failed one again, and no other.
    try #expect(coordinator.retry(nil, of: study) == [1])
    let again = try coordinator.take(study, Sample.worker(9))
    #expect(study.definition.grid?.point(of: again.trial.genome)?.network.name == "b")
    #expect(try coordinator.study(named: "a").definition == study.definition)
  }

  @Test("A worker that vanishes leaves its training to the next one")
  func vanished() throws {
    let coordinator = StudyCoordinator(MemoryStore())
    var definition = try definition(grid(["a"], seeds: [1, 2]))
    definition.limits.lease = 0.5
    let study = try coordinator.create("a", definition)
    let first = try coordinator.take(study, Sample.worker(1))
    Thread.sleep(forTimeInterval: 0.6)
    let second = try coordinator.take(study, Sample.worker(2))
    #expect(second.trial.number == first.trial.number && second.trial.attempt == 2)
  }

  @Test("Lists that cannot be are refused, with what is wrong")
  func refused() throws {
    var negative = grid()
    negative.networks[1].costs["params"] = -1
    for (grid, reason) in [
      (grid([]), "no networks"), (grid(seeds: []), "no seeds"),
      (grid(["a", " "]), "an empty name"), (grid(["a", "b", "a"]), "two networks are called 'a'"),
      (grid(seeds: [1, 2, 1]), "a seed stands in it twice"),
      (grid(seeds: Array(0..<50_000)), "more than 100000 trainings"),
      (negative, "a cost of network 'b'"),
    ] {
      let error = try #require(throws: SearchError.self) { _ = try definition(grid) }
      #expect("\(error)".contains(reason), "\(error)")
    }
  }

  @Test("Choices, files and inputs have the names of the list")
  func names() throws {
    let other = StudyCoordinator(MemoryStore())
    let search = try other.create("b", try Sample.definition())
    let text = try NetworkExport.yaml(
      try other.take(search, Sample.worker(1)).trial, called: "n", of: search)
    var grid = grid()
    grid.networks[2].architecture = text
    let coordinator = StudyCoordinator(MemoryStore())
    let study = try coordinator.create("a", try definition(grid))
    let leases = try (1...3).map { try coordinator.take(study, Sample.worker($0)) }
    let requests = try leases.map {
      EvaluationRequest(study: study, trial: $0.trial, problem: try study.definition.problem())
    }
    try #expect(requests[0].architecture() == nil)
    try #expect(requests[2].architecture()?.name.hasSuffix("_n") == true)
    let input = try JSONSerialization.jsonObject(with: TrialInput(requests[1]).json())
    let values = try #require(input as? [String: Any])
    #expect(values["network"] as? String == "b" && values["seed"] as? Int == 7)
    #expect(values["settings"] as? [String] == ["epochs=1"])
    try #expect(NetworkExport.yaml(leases[2].trial, called: "x", of: study) == text)
    #expect(throws: StudyError.self) {
      try NetworkExport.yaml(leases[0].trial, called: "x", of: study)
    }
    let record = try StudyRecorder(study.definition).record(leases[1].trial)
    #expect(record.choices["network"] == .name("b") && record.choices["seed"] == .name("7"))
  }
}
