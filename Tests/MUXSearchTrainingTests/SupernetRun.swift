// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXSearchTraining
import MUXTestSupport
import MUXTraining

/// A super-network of the digits that trains in a second or two.
enum SupernetRun {
  static func configuration(
    _ folder: String, _ assignments: [String] = []
  ) throws -> TrainingConfiguration {
    var tree = try ConfigurationTree(
      yaml: """
        epochs: 3
        batchSize: 64
        threads: 1
        seed: 3
        evaluateEveryEpochs: 2
        supernet: {space: digits, statisticsImages: 300}
        data: {source: digits, validationFraction: 0.25, testFraction: 0.2, workers: 1}
        augmentation: {crop: padded, padding: 1, flip: 0, evaluationCrop: 1}
        optimizer: {kind: adamW, learningRate: 0.01}
        average: {enabled: true, decay: 0.9, ramp: true}
        output: {folder: \(folder), name: run, tensorBoard: false}
        """, source: .file("test"))
    for text in assignments { try tree.set(assignment: text, source: .option("test")) }
    return try tree.decode(TrainingConfiguration.self)
  }

  /// A run that is at its end, made once; tests copy it before they change it.
  static let finished = Result {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "muxnet-supernet-\(UUID().uuidString)").path
    let trainer = try SupernetTraining.trainer(
      configuration(folder, ["epochs=8", "evaluateEveryEpochs=8"]))
    trainer.stop = StopSignal()
    try trainer.run()
    return trainer.folder.path
  }

  /// A copy of it that may be changed.
  static func copy() throws -> (folder: TemporaryFolder, run: String) {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(atPath: try finished.get(), toPath: folder("run"))
    return (folder, folder("run"))
  }
}
