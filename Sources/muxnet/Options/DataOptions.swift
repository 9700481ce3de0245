// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXConfiguration
import MUXCore
import MUXEvaluation

/// Which images weights are evaluated on.
struct DataOptions: ParsableArguments {
  @Option(help: "The folder of the data; a run knows its own.", completion: .directory)
  var data: String?

  @Option(
    help:
      "The kind of data: digits, cifar10, cifar100, folder, list, voc, coco, yolo, boxes or chestxray14."
  )
  var source: String?

  @Option(help: "Batch size.")
  var batchSize: Int?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Any setting by its dotted path.", valueName: "key=value"))
  var assignments: [String] = []

  /// The settings of the run that the weights belong to, if any, changed by the options.
  func configuration(weights: String) throws -> EvaluationConfiguration {
    // Said before what such weights would have told is missed.
    guard FileManager.default.fileExists(atPath: try WeightsSource.resolve(weights)) else {
      throw CommandError("there is no file or run \(weights.printable)")
    }
    var tree = try WeightsEvaluation.settings(ofRun: weights)
    for assignment in assignments {
      try tree.set(assignment: assignment, source: .option("--set \(assignment)"))
    }
    try tree.set(data: data, source: source)
    if let batchSize {
      try tree.set(
        "data.evaluationBatchSize", toText: "\(batchSize)", source: .option("--batch-size"))
    }
    let configuration = try tree.decode(EvaluationConfiguration.self)
    try configuration.validate()
    return configuration
  }
}
