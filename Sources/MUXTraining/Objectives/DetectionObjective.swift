// SPDX-License-Identifier: Apache-2.0
import MUXCore
package import MUXImages
public import MUXTasks
package import MUXTensor
package import MUXVision

extension Detection: TrainableTask {
  /// Cross entropy of the default boxes with an object and of the hardest of the others, and the smooth L1
  /// distance of the offsets of the former.
  public func objective(
    _ settings: ObjectiveSettings, head: DetectionHead
  ) throws -> any TrainingObjective {
    let mixing = settings.mixing
    try ConfigurationError.require(
      mixing.mixup == 0 && mixing.cutmix == 0, "mixing.mixup",
      max(mixing.mixup, mixing.cutmix), "images with boxes are not mixed; leave it out")
    try ConfigurationError.require(
      mixing.labelSmoothing == 0, "mixing.labelSmoothing", mixing.labelSmoothing,
      "the classes of boxes are not smoothed; leave it out")
    return DetectionObjective(head: head, negatives: negatives)
  }
}

/// The loss of a detector over a batch, divided by its default boxes with an object.
package struct DetectionObjective: TrainingObjective {
  let head: DetectionHead
  let negatives: Int

  package func losses(of batch: Batch, outputs: (PixelBatch) throws -> [Tensor]) throws -> Losses {
    let targets = try batch.targets.map {
      head.targets(try head.checked($0, name: "a training image"))
    }
    let maps = try outputs(batch.pixels)
    let half = maps.count / 2
    let classes = head.classNames.count + 1
    let logits = try Self.rows(maps[..<half], width: classes)
    let offsets = try Self.rows(maps[half...], width: 4)
    return try Self.losses(logits: logits, offsets: offsets, targets: targets, ratio: negatives)
  }

  /// Maps [N, boxes · width, H, W] as rows [N, default boxes, width], in the order of the default boxes.
  private static func rows(_ maps: ArraySlice<Tensor>, width: Int) throws -> Tensor {
    let rows = try maps.map { map in
      let shape = map.shape
      let boxes = shape[1] / width
      return try map.permute([0, 2, 3, 1])
        .reshape([shape[0], shape[2] * shape[3] * boxes, width])
    }
    return try Tensor.cat(rows, dimension: 1).to(.float32)
  }

  /// The loss of logits [N, default boxes, classes] and offsets [N, default boxes, 4].
  package static func losses(
    logits: Tensor, offsets: Tensor, targets: [DetectionTargets], ratio: Int
  ) throws -> Losses {
    let (priors, classes) = (logits.shape[1], logits.shape[2])
    let device = logits.device
    // Which negatives are hard is read off; it has no gradient.
    let background = try logits.detach().logSoftmax(2).select(2, 0).reshape([-1]).floats()
    var positives: [Int64] = []
    var chosen: [Int64] = []
    var labels: [Int64] = []
    var expected: [Float] = []
    for (image, target) in targets.enumerated() {
      let first = image * priors
      let negatives = HardNegatives.chosen(
        losses: background[first..<first + priors].map { -$0 },
        isPositive: target.labels.map { $0 > 0 }, ratio: ratio)
      for (index, label) in target.labels.enumerated() where label > 0 || negatives[index] {
        chosen.append(Int64(first + index))
        labels.append(Int64(label))
        guard label > 0 else { continue }
        positives.append(Int64(first + index))
        expected += target.offsets[4 * index..<4 * index + 4]
      }
    }
    guard !positives.isEmpty else {
      // Nothing to learn: 0, with gradients of 0.
      let nothing = try logits.sum() * 0 + offsets.sum() * 0
      return Losses(nothing, parts: [("classes", nothing), ("boxes", nothing)])
    }
    let count = Double(positives.count)
    let classLoss =
      try logits.reshape([-1, classes])
      .select(0, indices: Tensor(chosen, device: device))
      .crossEntropy(Tensor(labels, device: device), reduction: .sum) / count
    let boxLoss =
      try offsets.reshape([-1, 4])
      .select(0, indices: Tensor(positives, device: device))
      .smoothL1(
        Tensor(expected, shape: [positives.count, 4]).to(device), reduction: .sum) / count
    return Losses(
      try classLoss + boxLoss, parts: [("classes", classLoss), ("boxes", boxLoss)])
  }
}
