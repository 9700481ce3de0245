// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXEvaluation
import MUXImages
import MUXRuns
import MUXTestSupport

/// A finished run on the digits, as an earlier version left it: its data are in the program.
struct FinishedRun {
  let folder: TemporaryFolder
  let path: String

  init(named name: String = "whole") throws {
    folder = try TemporaryFolder()
    path = folder(name)
    try FileManager.default.copyItem(atPath: EarlierVersion("0.1").path("whole"), toPath: path)
  }

  /// Changes the text of one of its files.
  func edit(_ file: String, _ change: (String) -> String) throws {
    let text = try String(contentsOfFile: "\(path)/\(file)", encoding: .utf8)
    try change(text).write(toFile: "\(path)/\(file)", atomically: true, encoding: .utf8)
  }

  func report(
    part: DataPart = .validation, count: Int = 12, heatMaps: RunReport.HeatMaps? = nil
  ) throws -> RunReport {
    let weights = try TrainedWeights(path: path)
    let settings = try WeightsEvaluation.settings(ofRun: path)
      .decode(EvaluationConfiguration.self)
    return try RunReport(
      RunRecord(path: path), weights: weights, model: weights.runtimeModel(threads: 1),
      configuration: settings, part: part, count: count, heatMaps: heatMaps)
  }
}
