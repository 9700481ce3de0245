// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXEvaluation
import MUXImages
import MUXNetworks
import MUXTraining
import MUXWeights
import Testing

@Suite("Images are normalised as those of the initial weights") struct InitialPreparationTests {
  private func weights(_ folder: String, mean: [Float], deviation: [Float]) throws -> String {
    let network = try TestRun.network()
    let metadata = try WeightsMetadata(
      network: network, classNames: (0..<10).map(String.init),
      pipeline: ImagePipeline(
        transforms: [.resize(Resize(size: ImageSize(8)))], channels: 1, mean: mean,
        standardDeviation: deviation)
    ).dictionary()
    let path = "\(folder)/initial.safetensors"
    try Safetensors.write(NetworkModel(network, seed: 2).archive(metadata: metadata), to: path)
    return path
  }

  private func start(
    _ folder: String, _ change: (inout TrainingConfiguration) -> Void
  ) throws -> (run: Trainer, notices: [String]) {
    var settings = TestRun.configuration(folder)
    settings.epochs = 1
    settings.schedule.warmUp.epochs = 0
    settings.model.initialWeights = "\(folder)/initial.safetensors"
    change(&settings)
    let log = EventLog()
    let trainer = try Trainer(settings, network: TestRun.network(), observers: [log])
    trainer.stop = StopSignal()
    try trainer.run()
    return (trainer, log.notices.filter { $0.contains("images are normalised") })
  }

  @Test(
    "mean and deviation become those of the weights, are told, kept in the settings and the weights"
  )
  func taken() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = try weights(folder, mean: [0.1], deviation: [0.7])
    let (run, notices) = try start(folder) { _ in }
    #expect(notices.count == 1 && notices[0].contains("mean 0.1, standard deviation 0.7"))
    #expect(run.configuration.data.mean == [0.1])
    #expect(run.configuration.data.standardDeviation == [0.7])
    let trained = try TrainedWeights(path: run.folder.path)
    #expect(trained.pipeline.mean == [0.1] && trained.pipeline.standardDeviation == [0.7])
    // The run goes on without the weights that it began with.
    try FileManager.default.removeItem(atPath: path)
    let longer = try Trainer(resuming: run.folder.path) { $0.epochs = 2 }
    #expect(longer.configuration.data.mean == [0.1])
  }

  @Test("the settings' own come first; nothing is said where nothing changes")
  func kept() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    _ = try weights(folder, mean: [0.1], deviation: [0.7])
    let (own, none) = try start(folder) {
      $0.data.mean = [0.25]
      $0.data.standardDeviation = [0.5]
    }
    #expect(own.configuration.data.mean == [0.25] && none.isEmpty)
    // Those that digits have anyway.
    _ = try weights(folder, mean: [0.3053], deviation: [0.3761])
    let (same, nothing) = try start(folder) { _ in }
    #expect(same.configuration.data.mean == nil && nothing.isEmpty)
  }
}
