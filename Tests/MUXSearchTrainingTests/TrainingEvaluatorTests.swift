// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXSearch
import MUXSearchTraining
import MUXStudies
import MUXTestSupport
import Testing

@Suite("Candidates are trained", .serialized)
struct TrainingEvaluatorTests {
  private static let quick = """
    epochs: 6
    batchSize: 64
    threads: 1
    model: {name: muxnet_digits}
    data: {source: digits, validationFraction: 0.25, testFraction: 0.2, workers: 1}
    augmentation: {crop: padded, padding: 1, flip: 0, evaluationCrop: 1}
    optimizer: {kind: adamW, learningRate: 0.01}
    """

  private func settings(_ assignments: [String] = []) throws -> String {
    var tree = try ConfigurationTree(yaml: Self.quick, source: .file("test"))
    for text in assignments { try tree.set(assignment: text, source: .option("test")) }
    return try TrainingEvaluator.settings(tree)
  }

  private func run(
    _ settings: String, trials: Int = 2, prunes: Bool = false, timeout: Double? = nil
  ) throws -> [Trial] {
    let coordinator = StudyCoordinator(MemoryStore())
    var definition = try StudyDefinition(
      networks: .named("digits"), targets: [], algorithm: .random, seed: 5,
      evaluation: .training(settings: settings),
      limits: StudyLimits(trials: trials, timeout: timeout))
    if prunes {
      var halving = ParetoHalving.Settings()
      halving.patience = 1
      definition.earlyStopping = halving
    }
    let study = try coordinator.create("a", definition)
    let worker = StudyWorker(coordinator) { _ in try TrainingEvaluator(settings: settings) }
    try #expect(worker.run([study], shouldStop: { false }) == .done)
    return try coordinator.store.read { try $0.trials(of: study.id, in: [], limit: nil) }
  }

  @Test("A trained candidate has an error below that of guessing, and leaves no files")
  func trains() throws {
    func leftovers() throws -> Set<String> {
      try Set(
        FileManager.default.contentsOfDirectory(
          atPath: FileManager.default.temporaryDirectory.path
        ).filter { $0.hasPrefix("muxnet-trial-") })
    }
    let before = try leftovers()
    let text = try settings()
    let first = try run(text)
    for trial in first {
      #expect(trial.state == .complete, "\(trial.reason ?? "")")
      #expect(trial.attributes["epochs"] == "6")
      let error = try #require(trial.objectives?.first)
      #expect(error < 60, "chance is 90 %")
    }
    // Other tests train trials meanwhile, whose folders go, too.
    let made = try leftovers().subtracting(before)
    try #expect(eventually { try leftovers().isDisjoint(with: made) })
    try #expect(run(text).map(\.objectives) == first.map(\.objectives), "same seed, same errors")
  }

  @Test("Classes are those of the data, and a path keeps the folders above that it begins with")
  func dataOfTheUser() throws {
    try #expect(TrainingEvaluator.classes(settings: settings()) == 10)
    let relative = FileManager.default.currentDirectoryPath
      .split(separator: "/").map { _ in ".." }.joined(separator: "/")
    let error = try #require(throws: (any Error).self) {
      _ = try settings(["data.source=folder", "data.path=\(relative)/no/such/folder"])
    }
    #expect("\(error)".contains("/no/such/folder"), "\(error)")
    #expect(
      !"\(error)".contains(FileManager.default.currentDirectoryPath + "/no/such"), "\(error)")
  }

  @Test("A loss that is no number is a failure with the reason")
  func divergence() throws {
    let trials = try run(
      settings(["optimizer.learningRate=1e30", "optimizer.kind=sgd"]), trials: 1)
    #expect(trials[0].state == .failed)
    #expect(trials[0].objectives == nil)
    #expect((trials[0].reason ?? "").lowercased().contains("loss"), "\(trials[0].reason ?? "")")
  }

  @Test("A training over its time is stopped cleanly, and the worker goes on")
  func timeout() throws {
    let trials = try run(settings(["epochs=100000"]), trials: 2, timeout: 0.7)
    #expect(trials.map(\.reason) == ["took longer than 0.7 s", "took longer than 0.7 s"])
  }

  @Test("Hopeless trainings are stopped early, with the error of the moment")
  func pruning() throws {
    let trials = try run(settings(["epochs=3"]), trials: 8, prunes: true)
    let pruned = trials.filter { $0.state == .pruned }
    #expect(!pruned.isEmpty)
    #expect(trials.contains { $0.state == .complete })
    for trial in pruned {
      #expect(trial.objectives?.count == 3)
      #expect((Int(trial.attributes["epochs"] ?? "") ?? 99) < 3)
    }
  }

  @Test("Settings without validation images of their own, or wrong ones, are refused")
  func refused() throws {
    #expect(throws: (any Error).self) { try settings(["data.validationFraction=0"]) }
    #expect(throws: (any Error).self) { try settings(["epochs=0"]) }
    #expect(throws: (any Error).self) { try settings(["epoch=3"]) }
    #expect(throws: (any Error).self) {
      try settings(["data.source=folder", "data.path=/nowhere/at/all"])
    }
  }

  @Test("The shipped recipes of searches are whole", arguments: ["digits_search"])
  func recipes(name: String) throws {
    let text = try TrainingEvaluator.settings(try RecipeLibrary.load(name))
    _ = try TrainingEvaluator(settings: text)
    #expect(text.contains("validationFraction: 0.25"))
  }
}
