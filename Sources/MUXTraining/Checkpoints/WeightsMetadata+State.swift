// SPDX-License-Identifier: Apache-2.0
public import MUXEvaluation
public import MUXImages
public import MUXNetworks
public import MUXTasks

extension WeightsMetadata {
  /// Metadata of weights at some point of a run.
  public init(
    network: Network, task: NamedTask? = nil, classNames: [String], pipeline: ImagePipeline,
    isAveraged: Bool = false, state: TrainingState = TrainingState(), scores: Scores? = nil
  ) {
    self.init(
      network: network, task: task, classNames: classNames, pipeline: pipeline,
      isAveraged: isAveraged, epoch: state.epoch, step: state.step, scores: scores)
  }
}
