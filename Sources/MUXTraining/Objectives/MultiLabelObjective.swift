// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
public import MUXTasks
import MUXTensor
import MUXVision

extension MultiLabel: TrainableTask {
  /// Binary cross entropy or the squared error, with label smoothing, mixup and cutmix as configured.
  ///
  /// Balanced positive weights are counted on the training images; a class that never occurs there, or
  /// always, has the weight 1.
  public func objective(
    _ settings: ObjectiveSettings, head: MultiLabelHead
  ) throws -> any Objective {
    let classes = head.classNames.count
    let weights: [Double]? =
      switch positiveWeights {
      case .none: nil
      case .given(let weights): weights
      case .balanced:
        settings.training.classCounts.map { positives in
          let negatives = settings.training.count - positives
          return positives > 0 && negatives > 0 ? Double(negatives) / Double(positives) : 1
        }
      }
    return MultiLabelObjective(
      loss: loss, weights: weights?.map { Float($0) }, mixing: settings.mixing,
      seed: settings.seed, classes: classes)
  }
}

extension MultiLabel {
  /// The logarithm of the odds of each class among the training images, half an image added to both
  /// sides so that none is infinite.
  public func priorBias(_ settings: ObjectiveSettings, head: MultiLabelHead) -> [Double]? {
    settings.training.classCounts.map { positives in
      log((Double(positives) + 0.5) / (Double(settings.training.count - positives) + 0.5))
    }
  }
}

/// The mean loss over the images and classes of a batch.
private struct MultiLabelObjective: Objective {
  let loss: MultiLabel.Loss
  let weights: [Float]?
  let mixing: MixingConfiguration
  let seed: UInt64
  let classes: Int

  func losses(of batch: Batch, outputs: (PixelBatch) throws -> [Tensor]) throws -> Losses {
    var batch = batch
    for target in batch.targets {
      _ = try target.labels(task: MultiLabel.name, name: "a training image")
    }
    var values =
      mixing.apply(to: &batch, seed: seed, classes: classes)
      ?? BatchMixing().targets(of: batch.targets.map(\.classes), lambda: 1, classCount: classes)
    if mixing.labelSmoothing > 0 {
      // Each class is a choice of two, so half of what is taken goes to either side.
      let (share, half) = (Float(1 - mixing.labelSmoothing), Float(mixing.labelSmoothing / 2))
      for index in values.indices { values[index] = values[index] * share + half }
    }
    let logits = try outputs(batch.pixels)[0]
    let targets = try Tensor(values, shape: [batch.count, classes]).to(logits.device)
    switch loss {
    case .binaryCrossEntropy:
      let weight = try weights.map { try Tensor($0, shape: [classes]).to(logits.device) }
      return Losses(try logits.binaryCrossEntropy(targets, positiveWeight: weight))
    case .squaredError:
      return Losses(try logits.sigmoid().squaredError(targets))
    }
  }
}
