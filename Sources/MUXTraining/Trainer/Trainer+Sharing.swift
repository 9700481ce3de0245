// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXImages
import MUXTasks
import MUXTensor
import MUXVision
import MUXWeights

/// The loss of a batch as numbers, after the backward pass.
struct LearnedBatch {
  var loss: Double
  var parts: [LossPart] = []
}

extension Trainer {
  static let sharedName = "supernet.safetensors"
  static let averagedSharedName = "supernet-averaged.safetensors"

  /// Forward and backward pass of the networks of a step; their gradients add up in the shared weights.
  ///
  /// - Parameters:
  ///   - batch: The images and their targets.
  ///   - place: The batch's number in the step.
  ///   - factor: By which each loss is multiplied.
  /// - Returns: The loss of the first network. A loss that is no number is returned at once.
  func learn(
    from batch: Batch, _ shared: any SharedWeights, place: Int, factor: Double
  ) throws -> LearnedBatch {
    var images: PixelBatch?
    var answers: Tensor?
    var own = 0.0
    var others: [Double] = []
    for (index, network) in try shared.networks(step: state.step, batch: place).enumerated() {
      let model = network.model
      model.isTraining = true
      var random = dropoutStream(network: index)
      try model.generator.reseed(random.next())
      let loss: Tensor
      if index > 0, let images, let answers {
        let outputs = try model.outputs(of: images, precision: configuration.precision)
        loss = try configuration.task.task.distance(of: outputs, from: answers)
      } else {
        loss = try objective.losses(of: batch) { pixels in
          let outputs = try model.outputs(of: pixels, precision: configuration.precision)
          images = pixels
          answers = try outputs.first?.detach()
          return outputs
        }.total
      }
      let value = try loss.item()
      guard value.isFinite || hasPartners else { return LearnedBatch(loss: value) }
      try (factor == 1 ? loss : loss * factor).backward()
      try network.finish()
      if index == 0 { own = value } else { others.append(value) }
    }
    guard !others.isEmpty else { return LearnedBatch(loss: own) }
    return LearnedBatch(
      loss: own,
      parts: [
        LossPart(name: "largest", value: own),
        LossPart(name: "others", value: others.reduce(0, +) / Double(others.count)),
      ])
  }

  /// Gives the run's network its part of the shared weights, where those have changed.
  ///
  /// - Parameter measures: Whether it also measures its statistics anew: those that are shared are of many
  ///   networks.
  func takeSharedWeights(measuring measures: Bool) throws {
    guard let shared, sharedHaveChanged else { return }
    try shared.fill(model)
    if let averagedModel, let averagedShared { try averagedShared.fill(averagedModel) }
    guard measures else {
      sharedHaveChanged = false
      return
    }
    let images = configuration.supernet.statisticsImages
    let batches = min(
      (images + configuration.batchSize - 1) / configuration.batchSize,
      data.training.batchesPerEpoch)
    if averagedModel != nil, configuration.average.evaluatesBoth {
      try measureStatistics(of: model, batches: batches)
    }
    try measureStatistics(of: scoredModel, batches: batches)
    // Not before: what was broken off in between is begun anew.
    sharedHaveChanged = false
  }

  /// What a checkpoint keeps of shared weights, by file.
  func sharedArchives() throws -> [(file: String, archive: TensorArchive)] {
    guard let shared else { return [] }
    var metadata = shared.metadata
    metadata["epoch"] = String(state.epoch)
    metadata["step"] = String(state.step)
    var files = [
      (file: Self.sharedName, archive: try TensorArchive(shared.namedState, metadata: metadata))
    ]
    if let averagedShared {
      files.append(
        (Self.averagedSharedName, try TensorArchive(averagedShared.namedState, metadata: metadata)))
    }
    return files
  }

  /// Loads the shared weights of a checkpoint.
  func restoreShared(_ name: String) throws {
    let path = store.folder(of: name)
    guard let shared else { return }
    try store.archive(Self.sharedName, of: name).copy(into: shared.namedState, path: path)
    guard let averagedShared else { return }
    try store.archive(Self.averagedSharedName, of: name)
      .copy(into: averagedShared.namedState, path: path)
  }

  /// The file of a checkpoint with the shared weights that are to be used; nil where there are none.
  var usedSharedName: String? {
    shared == nil ? nil : averagedShared == nil ? Self.sharedName : Self.averagedSharedName
  }
}

extension VisionTask {
  /// How far outputs are from those of another network.
  ///
  /// - Throws: `ConfigurationError` where the task has no such measure.
  fileprivate func distance(of outputs: [Tensor], from others: Tensor) throws -> Tensor {
    guard let task = self as? any TrainableTask,
      let distance = try task.difference(of: outputs, from: others, temperature: 1)
    else {
      throw ConfigurationError(
        setting: "supernet.rule", value: SupernetConfiguration.Rule.sandwich.rawValue,
        expected: "networks of the task \(Self.name) cannot learn from each other; use single")
    }
    return distance
  }
}
