// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
import MUXSearch
import MUXSearchTraining
import MUXStudies
import MUXTestSupport
import MUXTraining
import MUXWeights
import Testing

@Suite("Candidates are judged by a super-network", .serialized)
struct SupernetEvaluatorTests {
  private func text(_ body: () throws -> Void) -> String {
    let error = #expect(throws: (any Error).self) { try body() }
    return error.map { "\($0)" } ?? ""
  }

  private func study(_ run: String, trials: Int) throws -> (StudyCoordinator, Study) {
    let coordinator = StudyCoordinator(MemoryStore())
    let supernet = try Supernet(run: run)
    let definition = try StudyDefinition(
      networks: supernet.space, targets: [.budget("small", ["params": 10_000, "madds": 200_000])],
      algorithm: .moead(), seed: 5, evaluation: .supernet(run: run, digest: supernet.digest),
      limits: StudyLimits(trials: trials))
    return (coordinator, try coordinator.create("a", definition))
  }

  private func work(_ coordinator: StudyCoordinator, _ study: Study) throws -> [Trial] {
    let worker = StudyWorker(coordinator) { study in
      guard case .supernet(let run, let digest) = study.definition.evaluation else {
        throw StudyError.evaluation(reason: "another evaluation")
      }
      return try SupernetEvaluator(
        run: run, digest: digest, space: study.definition.networkDomain?.space)
    }
    try #expect(worker.run([study], shouldStop: { false }) == .done)
    return try coordinator.store.read { try $0.trials(of: study.id, in: [], limit: nil) }
  }

  @Test("a search by it has an error for each network, the same each time")
  func search() throws {
    let run = try SupernetRun.finished.get()
    let (coordinator, first) = try study(run, trials: 30)
    let trials = try work(coordinator, first)
    #expect(trials.count == 30)
    for trial in trials {
      #expect(trial.state == .complete, "\(trial.reason ?? "")")
      #expect(try #require(trial.objectives?.first) < 85, "chance is 90 %")
    }
    let (other, second) = try study(run, trials: 30)
    try #expect(work(other, second).map(\.objectives) == trials.map(\.objectives))
  }

  @Test("statistics are measured anew unless that is not wanted, and it matters")
  func statistics() throws {
    let run = try SupernetRun.finished.get()
    let evaluator = try SupernetEvaluator(run: run)
    let genomes = try Supernet(run: run).draw(8, seed: 1)
    #expect(Set(genomes).count == 8)
    var (measured, shared) = (0.0, 0.0)
    for genome in genomes {
      measured += try #require(evaluator.values(of: genome)["error"])
      shared += try #require(evaluator.values(of: genome, measuring: false)["error"])
    }
    #expect(measured < shared, "\(measured / 8) % with, \(shared / 8) % without")
  }

  @Test("a network that was written is an ordinary one of the same error")
  func extraction() throws {
    let folder = try TemporaryFolder()
    let run = try SupernetRun.finished.get()
    let evaluator = try SupernetEvaluator(run: run)
    let supernet = try Supernet(run: run)
    let genome = try #require(supernet.draw(1, seed: 4).first)
    try evaluator.write(genome, to: folder("net.safetensors"), name: "mine")
    let weights = try TrainedWeights(path: folder("net.safetensors"))
    #expect(weights.network.name == "mine")
    let settings = try TrainingConfiguration(
      ofRun: RunFolder(existing: run))
    let validation = try settings.data.open(.validation)
    let model = try TrainedModel(path: folder("net.safetensors"))
    let top1 = try #require(model.evaluate(on: validation, batchSize: 64).scores["top1"])
    let error = try #require(evaluator.values(of: genome)["error"])
    #expect(abs(100 * (1 - top1) - error) < 0.3, "\(top1) and \(error)")
    // A training goes on from it.
    var fine = try SupernetRun.configuration(folder("fine"))
    fine.supernet = SupernetConfiguration()
    fine.model.initialWeights = folder("net.safetensors")
    fine.epochs = 1
    let trainer = try Trainer(fine, network: weights.network)
    trainer.stop = StopSignal()
    let tuned = try #require(try trainer.run().last?.validation?["top1"])
    #expect(tuned > 0.4, "from fresh weights an epoch reaches less")
  }

  @Test("a super-network of another space is refused, other limits are not")
  func otherSpace() throws {
    let run = try SupernetRun.finished.get()
    var space = try NetworkSpace.named("digits")
    space.constraints.maximumParameters = 5_000
    _ = try SupernetEvaluator(run: run, space: space)
    space.stages[0].kernel = [3]
    let other = text { _ = try SupernetEvaluator(run: run, space: space) }
    #expect(other.contains("its choices are not those of 'muxnet_digits'"))
    let small = text { _ = try SupernetEvaluator(run: run, space: .named("small")) }
    #expect(
      small.contains("belongs to the space 'muxnet_digits'") && small.contains("'muxnet_small'"))
  }

  @Test("a genome outside of the space is refused")
  func outside() throws {
    let supernet = try Supernet(run: SupernetRun.finished.get())
    #expect(text { _ = try supernet.extract([0, 1]) }.contains("it has 2 genes"))
    var genome = try #require(supernet.draw(1, seed: 1).first)
    genome[0] = 99
    #expect(text { _ = try supernet.extract(genome) }.contains("'stem' is 99"))
    let foreign = try NetworkDomain(.named("small")).architecture(
      Genome([Int](repeating: 0, count: 26)))
    #expect(text { _ = try supernet.encode(foreign) }.contains("is not in the search space"))
  }

  @Test("missing or misshapen weights are named")
  func missing() throws {
    let (folder, run) = try SupernetRun.copy()
    defer { withExtendedLifetime(folder) {} }
    let path = "\(run)/supernet.safetensors"
    let whole = try Safetensors.read(path)
    var archive = whole
    archive["stage2.0.bn3.weight"] = nil
    try Safetensors.write(archive, to: path)
    #expect(text { _ = try Supernet(run: run) }.contains("lacks 'stage2.0.bn3.weight'"))
    archive["stage2.0.bn3.weight"] = ArchivedTensor([1, 2, 3], shape: [3])
    try Safetensors.write(archive, to: path)
    let shape = text { _ = try Supernet(run: run) }
    #expect(shape.contains("'stage2.0.bn3.weight' of shape [3], not ["))
    try Data([1, 2, 3]).write(to: URL(filePath: path))
    #expect(throws: (any Error).self) { try Supernet(run: run) }
    // Cut from an archive alone, without a run.
    let sharing = try WeightSharing(.named("digits"))
    let genome = try sharing.ends().largest
    archive = whole
    archive["conv_stem.weight"] = nil
    let error = text {
      _ = try sharing.weights(
        of: genome, sharing.network(genome), from: archive, path: "some file")
    }
    #expect(error.contains("some file lacks 'conv_stem.weight'"))
  }

  @Test("a run that still trains, was broken off, or is of another kind is refused")
  func unfinished() throws {
    let (folder, run) = try SupernetRun.copy()
    do {
      let lock = try RunLock(run)
      defer { withExtendedLifetime(lock) {} }
      #expect(text { _ = try Supernet(run: run) }.contains("is still training; wait"))
    }
    _ = try Supernet(run: run)
    try FileManager.default.removeItem(atPath: "\(run)/result.json")
    #expect(text { _ = try Supernet(run: run) }.contains("was interrupted; resume it first"))
    try FileManager.default.removeItem(atPath: "\(run)/space.yaml")
    #expect(text { _ = try Supernet(run: run) }.contains("is not a super-network"))
    let none = text { _ = try Supernet(run: folder("nothing")) }
    #expect(none.contains("is not a super-network's run"))
  }

  @Test(
    "a file that is replaced or written to while it is read ends the evaluation, not the worker")
  func replaced() throws {
    let (folder, run) = try SupernetRun.copy()
    defer { withExtendedLifetime(folder) {} }
    let evaluator = try SupernetEvaluator(run: run)
    let supernet = try Supernet(run: run)
    let genome = try #require(supernet.draw(1, seed: 1).first)
    _ = try evaluator.values(of: genome)
    let path = "\(run)/supernet.safetensors"
    let (coordinator, study) = try study(run, trials: 2)
    // Another super-network takes its place, as a training that goes on does it.
    var archive = try Safetensors.read(path)
    let values = try #require(archive["conv_stem.weight"])
    archive["conv_stem.weight"] = ArchivedTensor(values.floats.map { $0 + 1 }, shape: values.shape)
    try Safetensors.write(archive, to: path)
    #expect(text { _ = try evaluator.values(of: genome) }.contains("has changed since"))
    #expect(
      text { try evaluator.write(genome, to: folder("net.safetensors")) }.contains("has changed"))
    #expect(!FileManager.default.fileExists(atPath: folder("net.safetensors")))
    // A worker that begins later finds another hash than the study's.
    #expect(
      text { _ = try SupernetEvaluator(run: run, digest: supernet.digest) }
        .contains("create a new study"))
    withExtendedLifetime((coordinator, study)) {}
    // Written in place.
    let again = try SupernetEvaluator(run: run)
    _ = try again.values(of: genome)
    let handle = try FileHandle(forWritingTo: URL(filePath: path))
    try handle.seek(toOffset: 20_000)
    try handle.write(contentsOf: Data([1, 2, 3, 4]))
    try handle.close()
    #expect(text { _ = try again.values(of: genome) }.contains("has changed since"))
  }

  @Test("no images for statistics, or to validate on, are refused")
  func noImages() throws {
    let (folder, run) = try SupernetRun.copy()
    defer { withExtendedLifetime(folder) {} }
    let none = text { _ = try SupernetEvaluator(run: run, statisticsImages: 0) }
    #expect(none.contains("at least one training image is needed"))
    let path = "\(run)/configuration.yaml"
    let settings = try String(contentsOfFile: path, encoding: .utf8)
    #expect(settings.contains("validationFraction: 0.25"))
    try settings.replacing("validationFraction: 0.25", with: "validationFraction: 0")
      .write(toFile: path, atomically: true, encoding: .utf8)
    #expect(text { _ = try SupernetEvaluator(run: run) }.contains("data.validationFraction"))
  }
}
