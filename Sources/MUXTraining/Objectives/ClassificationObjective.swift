// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
public import MUXTasks
import MUXTensor
import MUXVision

extension Classification: TrainableTask {
  /// Cross entropy, with label smoothing, mixup and cutmix as configured.
  public func objective(
    _ settings: ObjectiveSettings, head: ClassificationHead
  ) throws -> any Objective {
    ClassificationObjective(
      mixing: settings.mixing, seed: settings.seed, classes: head.classNames.count)
  }
}

extension Classification {
  /// The logarithm of each class's share of the training images, one image added to each class so that
  /// none is infinite.
  public func priorBias(_ settings: ObjectiveSettings, head: ClassificationHead) -> [Double]? {
    let counts = settings.training.classCounts.map { Double($0 + 1) }
    let total = counts.reduce(0, +)
    return counts.map { log($0 / total) }
  }
}

/// The mean cross entropy of a batch.
private struct ClassificationObjective: Objective {
  let mixing: MixingConfiguration
  let seed: UInt64
  let classes: Int

  func losses(of batch: Batch, outputs: (PixelBatch) throws -> [Tensor]) throws -> Losses {
    var batch = batch
    let labels = try batch.targets.map {
      Int64(try $0.label(task: Classification.name, name: "a training image"))
    }
    let mixed = mixing.apply(to: &batch, seed: seed, classes: classes)
    let logits = try outputs(batch.pixels)[0]
    if let mixed {
      let soft = try Tensor(mixed, shape: [batch.count, classes]).to(logits.device)
      return Losses(try logits.crossEntropy(soft, smoothing: mixing.labelSmoothing))
    }
    let targets = try Tensor(labels, device: logits.device)
    return Losses(try logits.crossEntropy(targets, smoothing: mixing.labelSmoothing))
  }
}
