// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import MUXTraining
import MUXWeights

/// A run on the digits that takes a second or two and uses everything a run can use.
enum TestRun {
  /// A folder that no other test has.
  static func makeFolder() throws -> String {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "muxnet-training-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    return folder
  }

  /// Two MUX blocks with spatial multiplexing, for 8×8 grey images.
  static func network(
    headChannels: Int = 16, classes: Int = 10, drops: Bool = true
  ) throws -> Network {
    var architecture = Architecture(
      name: "tiny_mux", stem: .init(channels: 8, stride: 1),
      stages: [
        [try BlockSpecification("mux_k3_e4_c8_se0.5_sc-1.0.0.1")],
        [
          try BlockSpecification("ir_k3.5_s2_e2_c16_se0.25"),
          try BlockSpecification("ir_k3_e2_c16"),
        ],
      ], head: .init(channels: headChannels))
    architecture.inputChannels = 1
    architecture.inputSize = ImageSize(8)
    architecture.classes = classes
    architecture.dropoutRate = drops ? 0.2 : 0
    architecture.dropPathRate = drops ? 0.1 : 0
    return try architecture.network()
  }

  /// Three epochs of six steps, each of two batches of 100 images; averaged weights, RMSProp,
  /// dropout, shifted images, mixup, clipping.
  static func configuration(_ folder: String) -> TrainingConfiguration {
    var value = TrainingConfiguration()
    value.seed = 7
    value.epochs = 3
    value.batchSize = 100
    value.accumulation = 2
    value.data.source = .digits
    value.data.validationFraction = 0.1
    value.data.testFraction = 0.2
    value.data.evaluationBatchSize = 64
    value.augmentation.crop = .padded
    value.augmentation.padding = 1
    value.augmentation.flip = 0
    value.augmentation.evaluationCrop = 1
    value.mixing.labelSmoothing = 0.1
    value.mixing.mixup = 0.2
    value.mixing.probability = 0.5
    value.optimizer.kind = .rmspropTensorFlow
    value.optimizer.learningRate = 0.02
    value.optimizer.weightDecay = 1e-4
    value.optimizer.clipNorm = 5
    value.schedule = LearningRateSchedule(shape: .cosine, warmUp: WarmUp(epochs: 1))
    value.average.isEnabled = true
    value.average.decay = 0.9
    value.average.ramps = true
    value.average.evaluatesBoth = true
    value.checkpoints.everySteps = 2
    value.output.folder = folder
    value.output.name = "run"
    value.output.logEverySteps = 1
    return value
  }

  /// All tensor files of a run's last checkpoint, bit for bit, by file and tensor.
  static func bits(of run: String) throws -> [String: [UInt8]] {
    let store = CheckpointStore(path: "\(run)/checkpoints")
    let name = try store.load().name
    var bits: [String: [UInt8]] = [:]
    for file in ["weights", "averaged", "optimizer"] {
      for (tensor, content) in try store.archive("\(file).safetensors", of: name) {
        bits["\(file)/\(tensor)"] = content.bytes.array
      }
    }
    return bits
  }

  /// What must be equal in the histories of two equal runs: everything but the clock.
  static func numbers(of run: String) throws -> [[Double?]] {
    try CheckpointStore(path: "\(run)/checkpoints").load().state.history.map { report in
      [
        Double(report.epoch), Double(report.step), report.learningRate, report.trainingLoss,
        report.validation?["loss"], report.validation?["top1"], report.rawValidation?["loss"],
      ]
    }
  }
}

/// Does something after a given step.
final class AfterStep: TrainingObserver {
  private let step: Int
  private let action: () -> Void

  init(_ step: Int, _ action: @escaping () -> Void) {
    self.step = step
    self.action = action
  }

  func handle(_ event: TrainingEvent) {
    if case .step(let report) = event, report.step == step { action() }
  }
}

/// Does something in the first evaluation.
final class DuringEvaluation: TrainingObserver {
  private let action: () -> Void

  init(_ action: @escaping () -> Void) {
    self.action = action
  }

  func handle(_ event: TrainingEvent) {
    if case .evaluating = event { action() }
  }
}

/// Keeps the events.
final class EventLog: TrainingObserver {
  var epochs: [EpochReport] = []
  var steps: [StepReport] = []
  /// All lines, warnings too.
  var notices: [String] = []
  var warnings: [String] = []

  func handle(_ event: TrainingEvent) {
    switch event {
    case .epoch(let report): epochs.append(report)
    case .step(let report): steps.append(report)
    case .notice(let text): notices.append(text)
    case .warning(let text):
      notices.append(text)
      warnings.append(text)
    default: break
    }
  }
}
