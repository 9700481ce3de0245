// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXSearch
import MUXSearchTraining
import MUXStudies
import MUXTestSupport
import Testing

@Suite("Fixed lists are trained", .serialized)
struct GridTrainingTests {
  private static let quick = """
    epochs: 1
    batchSize: 64
    threads: 1
    model: {name: muxnet_digits}
    data: {source: digits, limit: 128, validationFraction: 0.25, testFraction: 0.2, workers: 1}
    augmentation: {crop: padded, padding: 1, flip: 0, evaluationCrop: 1}
    optimizer: {kind: adamW, learningRate: 0.01}
    """

  private func list(_ text: String) throws -> (grid: StudyGrid, settings: String) {
    let folder = try TemporaryFolder()
    let path = try folder.write("list.yaml", Array(text.utf8))
    let list = try GridFile.read(path)
    let settings = try TrainingEvaluator.settings(
      ConfigurationTree(yaml: Self.quick, source: .file("test")), holdsOut: false)
    let base = try ConfigurationTree(yaml: settings, source: .file("test"))
    return (try GridTraining(base: base).grid(of: list.networks, seeds: list.seeds), settings)
  }

  private func run(_ list: (grid: StudyGrid, settings: String)) throws -> [Trial] {
    let coordinator = StudyCoordinator(MemoryStore())
    let study = try coordinator.create(
      "a", try StudyDefinition(grid: list.grid, evaluation: .training(settings: list.settings)))
    let worker = StudyWorker(coordinator) { _ in
      try TrainingEvaluator(settings: list.settings)
    }
    try #expect(worker.run([study], shouldStop: { false }) == .done)
    return try coordinator.store.read { try $0.trials(of: study.id, in: [], limit: nil) }
  }

  @Test(
    "A network that cannot be made is named, and the others go on; seeds decide, and nothing else")
  func broken() throws {
    let list = try list(
      """
      seeds: [3, 4]
      networks:
        again: {model: {name: muxnet_digits}}
        broken: {model: {name: muxnet_digitz}}
        plain: {model: {name: muxnet_digits}}
      """)
    #expect(list.grid.networks.map(\.name) == ["again", "broken", "plain"])
    let trials = try run(list)
    let failed = trials.filter { $0.state == .failed }
    #expect(failed.map(\.number) == [1, 4])
    for trial in failed {
      #expect(trial.reason?.contains("network 'broken'") == true, "\(trial.reason ?? "")")
      #expect(trial.reason?.contains("muxnet_digitz") == true, "\(trial.reason ?? "")")
    }
    #expect(trials.filter { $0.state == .complete }.map(\.number) == [0, 2, 3, 5])
    #expect(
      trials[0].objectives == trials[2].objectives && trials[3].objectives == trials[5].objectives)
    #expect(trials[0].attributes["loss"] != trials[3].attributes["loss"])
  }

  @Test(
    "Settings of a network and of each variant lie over those of the study, and count in its costs")
  func variants() throws {
    let grid = try list(
      """
      seeds: [0]
      networks:
        half: {model: {width: 0.5}}
        whole:
      settings:
        large: {model: {inputSize: 32}}
        usual: {}
      """
    ).grid
    #expect(
      grid.networks.map(\.name) == ["half large", "half usual", "whole large", "whole usual"])
    let costs = grid.networks.map(\.costs)
    #expect(costs[0]["params"] == costs[1]["params"] && costs[2]["params"] == costs[3]["params"])
    #expect(costs.map { $0["madds"] ?? 0 }.sorted().reversed().first == costs[2]["madds"])
    try #expect(#require(costs[1]["params"]) < #require(costs[3]["params"]))
  }

  @Test("Files that are no lists are refused in one line that says where")
  func files() throws {
    for (text, part) in [
      ("networks: {a: {}}", "seeds"), ("seeds: [0]", "no networks"),
      ("seeds: []\nnetworks: {a: {}}", "no seeds"),
      ("seeds: [0]\nnetworks: [a, b]", "networks"),
      ("seeds: [0]\nnetworks: {a: muxnet_m}", "networks.a"),
      ("seeds: [-1]\nnetworks: {a: {}}", "seeds"), ("seeds: [x]\nnetworks: {a: {}}", "seeds"),
      ("seeds: [0, 0]\nnetworks: {a: {}}", "twice"),
      ("sedes: [0]\nnetworks: {a: {}}", "sedes"),
      ("seeds: [0]\nnetworks: {a: {}}\nsetings: {}", "settings"),
      ("seeds: [0]\nnetworks: {a: {seed: 3}}", "a seed of its own"),
      ("seeds: [0]\nnetworks: {a: {}}\nsettings: {x: 3}", "settings.x"),
      ("seeds: [0]\nnetworks: {a: {modle: {width: 2}}}", "modle"),
      ("seeds: [0]\nnetworks: {a: {epochs: -3}}", "epochs"),
      ("seeds: [0]\nnetworks: {a: {model: {name: ./none.yaml}}}", "none.yaml"),
    ] {
      let error = try #require(throws: (any Error).self) { _ = try list(text) }
      #expect("\(error)".contains(part) && !"\(error)".contains("\n"), "\(text): \(error)")
    }
  }
}
