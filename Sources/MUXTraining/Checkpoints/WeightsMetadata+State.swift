// SPDX-License-Identifier: Apache-2.0
public import MUXEvaluation
public import MUXImages
public import MUXNetworks

extension WeightsMetadata {
  /// Metadata of weights at some point of a run.
  public init(
    network: Network, classNames: [String], pipeline: ImagePipeline, isAveraged: Bool = false,
    state: TrainingState = TrainingState(), scores: ClassificationScores? = nil
  ) {
    self.init(
      network: network, classNames: classNames, pipeline: pipeline, isAveraged: isAveraged,
      epoch: state.epoch, step: state.step, scores: scores)
  }
}
