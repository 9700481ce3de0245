// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXImages
public import MUXTasks
public import MUXTensor
import MUXVision

extension MultiLabel: TrainableTask {
  /// Binary cross entropy or the squared error, with label smoothing, mixup and cutmix, class weights
  /// and focus as configured.
  ///
  /// Balanced positive weights are counted on the training images; a class that never occurs there, or
  /// always, has the weight 1.
  public func objective(
    _ settings: ObjectiveSettings, head: MultiLabelHead
  ) throws -> any TrainingObjective {
    let classes = head.classNames.count
    let weights: [Double]? =
      switch positiveWeights {
      case .none: nil
      case .given(let weights): weights
      case .balanced:
        settings.classCounts.map { positives in
          let negatives = Double(settings.training.count) - positives
          return positives > 0 && negatives > 0 ? negatives / positives : 1
        }
      }
    guard settings.weighing.focal == 0 || loss == .binaryCrossEntropy else {
      throw ConfigurationError(
        setting: "objective.focal", value: "\(settings.weighing.focal)",
        expected:
          "is for the binary cross entropy; leave it out, or the task's loss \(loss.rawValue)")
    }
    return MultiLabelObjective(
      loss: loss, weights: weights?.map { Float($0) },
      classWeights: try settings.classWeights()?.map { Float($0) }, focal: settings.weighing.focal,
      mixing: settings.mixing, seed: settings.seed, classes: classes)
  }
}

extension MultiLabel {
  /// The logarithm of the odds of each class among the images of an epoch, half an image added to both
  /// sides so that none is infinite.
  public func priorBias(_ settings: ObjectiveSettings, head: MultiLabelHead) -> [Double]? {
    settings.classCounts.map { positives in
      log((positives + 0.5) / (max(Double(settings.training.count) - positives, 0) + 0.5))
    }
  }
}

extension MultiLabel {
  /// T² times the mean over the classes of the Kullback–Leibler divergence of each class's probability at
  /// temperature T from the teacher's.
  public func difference(
    of outputs: [Tensor], from teacher: Tensor, temperature: Double
  ) throws -> Tensor? {
    guard let logits = outputs.first else { return nil }
    let sharpened = try teacher / temperature
    let wanted = try sharpened.sigmoid()
    // The entropy of the teacher's answers: what is left where both agree.
    let least = try sharpened.binaryCrossEntropy(wanted)
    return try ((logits / temperature).binaryCrossEntropy(wanted) - least)
      * (temperature * temperature)
  }
}

/// The mean loss over the images and classes of a batch.
private struct MultiLabelObjective: TrainingObjective {
  let loss: MultiLabel.Loss
  /// Of each class's positive images.
  let weights: [Float]?
  /// Of each class's part, positive and negative images alike.
  let classWeights: [Float]?
  let focal: Double

  /// A probability of one half costs log 2 (or a quarter), whatever the target.
  var chanceLoss: Double? {
    guard weights == nil, classWeights == nil else { return nil }
    return loss == .squaredError ? 0.25 : log(2) * pow(0.5, focal)
  }
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
    func row(_ values: [Float]?) throws -> Tensor? {
      try values.map { try Tensor($0, shape: [classes]).to(logits.device) }
    }
    if classWeights != nil || focal > 0 {
      var losses =
        switch loss {
        case .binaryCrossEntropy where focal > 0:
          try focalLosses(logits, targets, positive: row(weights))
        case .binaryCrossEntropy:
          try logits.binaryCrossEntropy(targets, positiveWeight: row(weights), reduction: .none)
        case .squaredError: try logits.sigmoid().squaredError(targets, reduction: .none)
        }
      if let factors = try row(classWeights) { losses = try losses * factors }
      return Losses(try losses.mean())
    }
    switch loss {
    case .binaryCrossEntropy:
      let weight = try row(weights)
      return Losses(try logits.binaryCrossEntropy(targets, positiveWeight: weight))
    case .squaredError:
      return Losses(try logits.sigmoid().squaredError(targets))
    }
  }

  /// w·y·(1 − p)^γ·(−log p) + (1 − y)·p^γ·(−log(1 − p)) of each image and class.
  private func focalLosses(
    _ logits: Tensor, _ targets: Tensor, positive: Tensor?
  ) throws -> Tensor {
    func focused(_ shares: Tensor, _ losses: Tensor) throws -> Tensor {
      // Away from 0, where the slope of a power below 1 has no bound.
      try shares.clamped(low: 1e-6, high: 1).power(focal) * losses
    }
    var there = try focused(logits.negated().sigmoid(), logits.negated().softplus()) * targets
    if let positive { there = try there * positive }
    return try there
      + focused(logits.sigmoid(), logits.softplus()) * (targets.negated() + 1)
  }
}
