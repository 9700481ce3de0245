// SPDX-License-Identifier: Apache-2.0
import MUXImages
import MUXTensor
import MUXVision

/// What answers for the images of a batch (``Teacher``).
protocol TeacherAnswers: AnyObject {
  /// Its outputs, [N, classes] in the order of the student's classes, and the values of the layers that
  /// the student learns, if any.
  func answers(
    _ pixels: PixelBatch, samples: [Int]
  ) throws -> (outputs: Tensor, features: [Tensor])
}

/// The loss of a task, and beside it the difference from a teacher's answers to the same images.
struct DistilledObjective: TrainingObjective {
  let base: any TrainingObjective
  let teacher: any TeacherAnswers
  let settings: DistillationConfiguration
  /// The layers that are learned, too.
  let features: FeatureMatching?
  /// The difference of a student's outputs from a teacher's at a temperature.
  let difference: ([Tensor], Tensor, Double) throws -> Tensor

  func losses(of batch: Batch, outputs: (PixelBatch) throws -> [Tensor]) throws -> Losses {
    var seen: (pixels: PixelBatch, outputs: [Tensor])?
    // The task may mix the images before the network sees them; the teacher sees what that saw.
    let own = try base.losses(of: batch) { pixels in
      let given = try outputs(pixels)
      seen = (pixels, given)
      return given
    }
    guard let seen, let logits = seen.outputs.first else { return own }
    let answers = try withoutGradient {
      try teacher.answers(seen.pixels, samples: batch.place.samples)
    }
    let soft = try difference(
      seen.outputs, answers.outputs.to(logits.device), settings.temperature)
    var total = try own.total * (1 - settings.weight) + soft * settings.weight
    var parts = own.parts + [("task", own.total), ("distillation", soft)]
    if let features {
      let distance = try features.distance(from: answers.features)
      total = try total + distance * settings.featureWeight
      parts.append(("features", distance))
    }
    return Losses(total, parts: parts)
  }
}
