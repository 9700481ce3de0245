// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTensor
import MUXTraining
import Testing

@Suite struct LossScalerTests {
  @Test("the scale halves at an overflow and doubles after 2,000 steps without one")
  func rules() {
    var scaler = LossScaler(scale: 8)
    scaler.update(isFinite: false)
    #expect(scaler.scale == 4 && scaler.steadySteps == 0)
    for _ in 0..<1999 { scaler.update(isFinite: true) }
    #expect(scaler.scale == 4)
    scaler.update(isFinite: true)
    #expect(scaler.scale == 8 && scaler.steadySteps == 0)
    for _ in 0..<3 { scaler.update(isFinite: false) }
    #expect(scaler.scale == 1 && !scaler.isExhausted)
    scaler.update(isFinite: false)
    #expect(scaler.isExhausted)
  }

  private func configuration(_ folder: String) -> TrainingConfiguration {
    var configuration = TestRun.configuration(folder)
    configuration.precision = .float16
    configuration.mixing = MixingConfiguration()
    return configuration
  }

  @Test("half precision trains, and its scale survives stop and resume bit for bit")
  func trains() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let log = EventLog()
    let whole = try Trainer(
      configuration(folder), network: TestRun.network(), observers: [log])
    whole.stop = StopSignal()
    try whole.run()
    #expect(log.epochs[2].trainingLoss < log.epochs[0].trainingLoss)
    let state = try CheckpointStore(path: whole.folder.checkpoints).load().state
    let scaler = try #require(state.lossScaler)
    #expect(scaler.scale <= 65_536 && scaler.scale >= 1)

    var other = configuration(folder)
    other.output.name = "stopped"
    let stop = StopSignal()
    let first = try Trainer(
      other, network: TestRun.network(), observers: [AfterStep(7) { stop.request() }])
    first.stop = stop
    #expect(try first.run().ending == .interrupted)
    let second = try Trainer(resuming: first.folder.path)
    second.stop = StopSignal()
    try second.run()
    #expect(try TestRun.bits(of: first.folder.path) == TestRun.bits(of: whole.folder.path))
    let resumed = try CheckpointStore(path: first.folder.checkpoints).load().state
    #expect(resumed.lossScaler == scaler)
  }

  @Test("a step whose gradients overflow is left out, and the scale halved")
  func overflow() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let stop = StopSignal()
    let trainer = try Trainer(
      configuration(folder), network: TestRun.network(),
      observers: [AfterStep(1) { stop.request() }])
    trainer.stop = stop
    // Logits stay within half precision; their gradients times such weights and the scale do not.
    let weight = try #require(trainer.model.tensor(named: "classifier.weight"))
    let large = try TorchGenerator(seed: 3).normal(weight.shape, deviation: 2000)
    try withoutGradient { () throws(TorchError) in try weight.copyInPlace(from: large) }
    let before = try trainer.model.parameters.map { try $0.tensor.detach().floats() }
    try trainer.run()
    let after = try trainer.model.parameters.map { try $0.tensor.detach().floats() }
    #expect(before == after)
    let state = try CheckpointStore(path: trainer.folder.checkpoints).load().state
    #expect(state.lossScaler?.scale == 32_768 && state.step == 1)
  }
}
