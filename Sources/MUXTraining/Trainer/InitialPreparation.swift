// SPDX-License-Identifier: Apache-2.0
import MUXEvaluation
import MUXImages
import MUXNetworks

extension TrainingConfiguration {
  /// Takes mean and standard deviation of the images from the weights that a run starts from, where these
  /// say how they were prepared and the settings do not: what the first layers have learned suits images
  /// of that kind. The settings have them from then on, so that the run needs the weights only once.
  ///
  /// - Returns: A line that says so, where that changes anything.
  mutating func takePreparation(channels: Int) -> [String] {
    guard data.mean == nil, data.standardDeviation == nil, let path = model.initialWeights,
      // What is wrong with the weights is said where they are loaded.
      let file = try? WeightsSource.load(path, prefersAveraged: model.prefersAveragedWeights),
      let pipeline = try? WeightsMetadata(file.archive.metadata, path: path)?.pipeline,
      pipeline.channels == channels, pipeline.channelOrder == .rgb,
      let usual = try? data.normalization(channels: channels),
      usual.mean != pipeline.mean || usual.standardDeviation != pipeline.standardDeviation
    else { return [] }
    // The shortest decimals that stand for the same single-precision number.
    func numbers(_ values: [Float]) -> [Double] { values.map { Double("\($0)") ?? Double($0) } }
    data.mean = numbers(pipeline.mean)
    data.standardDeviation = numbers(pipeline.standardDeviation)
    func list(_ values: [Float]) -> String { values.map { "\($0)" }.joined(separator: ", ") }
    return [
      "images are normalised as those of the initial weights were: mean \(list(pipeline.mean)),"
        + " standard deviation \(list(pipeline.standardDeviation)) (data.mean and"
        + " data.standardDeviation set others)"
    ]
  }
}
