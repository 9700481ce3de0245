// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
public import MUXTasks
public import MUXTensor
import MUXVision

extension Classification: TrainableTask {
  /// Cross entropy, with label smoothing, mixup and cutmix, class weights and focus as configured.
  public func objective(
    _ settings: ObjectiveSettings, head: ClassificationHead
  ) throws -> any TrainingObjective {
    ClassificationObjective(
      mixing: settings.mixing, seed: settings.seed, classes: head.classNames.count,
      weights: try settings.classWeights()?.map { Float($0) }, focal: settings.weighing.focal,
      meanWeight: settings.weighing.classWeights.isByHand ? nil : 1)
  }
}

extension Classification {
  /// The logarithm of each class's share of an epoch's images, one image added to each class so that
  /// none is infinite; with weights, of its share of the loss.
  public func priorBias(
    _ settings: ObjectiveSettings, head: ClassificationHead
  ) throws -> [Double]? {
    var counts = settings.classCounts.map { $0 + 1 }
    if let weights = try settings.classWeights() {
      counts = zip(counts, weights).map { $0 * max($1, 1e-6) }
    }
    let total = counts.reduce(0, +)
    return counts.map { log($0 / total) }
  }
}

extension Classification {
  /// T² times the Kullback–Leibler divergence of the softmax at temperature T from the teacher's.
  public func difference(
    of outputs: [Tensor], from teacher: Tensor, temperature: Double
  ) throws -> Tensor? {
    guard let logits = outputs.first else { return nil }
    let own = try (logits / temperature).logSoftmax(1)
    let wanted = try (teacher / temperature).softmax(1)
    return try own.klDivergence(wanted, reduction: .sum)
      * (temperature * temperature / Double(max(logits.size(0), 1)))
  }
}

/// The mean cross entropy of a batch.
private struct ClassificationObjective: TrainingObjective {
  let mixing: MixingConfiguration
  let seed: UInt64
  let classes: Int
  let weights: [Float]?
  let focal: Double
  /// Over the images; nil where it is not known.
  let meanWeight: Double?

  /// The same probability for each class costs log K, whatever the target, and less with a focus.
  var chanceLoss: Double? {
    meanWeight.map { $0 * log(Double(classes)) * pow(1 - 1 / Double(classes), focal) }
  }

  func losses(of batch: Batch, outputs: (PixelBatch) throws -> [Tensor]) throws -> Losses {
    var batch = batch
    let labels = try batch.targets.map {
      Int64(try $0.label(task: Classification.name, name: "a training image"))
    }
    let mixed = mixing.apply(to: &batch, seed: seed, classes: classes)
    if weights != nil || focal > 0 {
      let soft =
        mixed ?? BatchMixing().targets(of: labels.map { [Int($0)] }, lambda: 1, classCount: classes)
      return Losses(try weighted(try outputs(batch.pixels)[0], soft))
    }
    let logits = try outputs(batch.pixels)[0]
    if let mixed {
      let soft = try Tensor(mixed, shape: [batch.count, classes]).to(logits.device)
      return Losses(try logits.crossEntropy(soft, smoothing: mixing.labelSmoothing))
    }
    let targets = try Tensor(labels, device: logits.device)
    return Losses(try logits.crossEntropy(targets, smoothing: mixing.labelSmoothing))
  }

  /// The mean over the images of −Σ w·t·(1 − p)^γ·log p over the classes.
  ///
  /// Divided by the number of images, not by the sum of their weights, so that hard and mixed targets
  /// have one scale.
  private func weighted(_ logits: Tensor, _ soft: [Float]) throws -> Tensor {
    var soft = soft
    let (kept, spread) = (
      Float(1 - mixing.labelSmoothing), Float(mixing.labelSmoothing / Double(classes))
    )
    for index in soft.indices {
      soft[index] = (soft[index] * kept + spread) * (weights?[index % classes] ?? 1)
    }
    let count = soft.count / classes
    let targets = try Tensor(soft, shape: [count, classes]).to(logits.device)
    let logarithms = try logits.logSoftmax(1)
    var terms = try logarithms * targets
    if focal > 0 {
      // Away from 0, where the slope of a power below 1 has no bound.
      terms =
        try terms * ((logarithms.exp().negated() + 1).clamped(low: 1e-6, high: 1)).power(focal)
    }
    return try terms.sum() * (-1 / Double(count))
  }
}
