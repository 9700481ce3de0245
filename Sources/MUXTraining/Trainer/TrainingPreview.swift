// SPDX-License-Identifier: Apache-2.0
package import MUXImages
import MUXNetworks
import MUXTasks
import MUXVision

/// The first images of an epoch as a network sees them: cropped, augmented, erased and mixed.
package struct TrainingPreview: Sendable {
  /// The pictures, with their boxes or classes.
  package let cells: [ContactSheet.Cell]
  package let classNames: [String]
  /// Side of the network's input in pixels.
  package let inputSize: Int

  /// Makes the batches that a run with these settings would make, and keeps their first images.
  ///
  /// - Parameters:
  ///   - configuration: The settings of the run.
  ///   - count: The most images, at least one.
  ///   - epoch: The epoch, from 0; each augments the images differently.
  /// - Throws: Errors of the data and the settings.
  package init(_ configuration: TrainingConfiguration, count: Int, epoch: Int = 0) throws {
    precondition(count > 0 && epoch >= 0, "a preview has images of an epoch")
    try configuration.validate()
    var configuration = configuration
    configuration.data = try configuration.data.resolved().settings
    // What a few images show needs no memory for all of them.
    configuration.data.cache = false
    let training = try configuration.data.open(.training)
    try configuration.task.task.check(training)
    try training.checkClasses()
    _ = configuration.fit(images: training.count)
    let validation = try configuration.data.open(.validation, classNames: training.classNames)
    let network = try configuration.resolveNetwork(for: training)
    _ = configuration.takePreparation(channels: network.inputChannels)
    let size = configuration.model.inputSize ?? network.inputSize.height
    let shares =
      configuration.data.sampler == .balanced
      ? SampleShares(balancing: training, strength: configuration.data.samplerStrength) : nil
    // What a run refuses is refused here, too.
    _ = try configuration.task.task.trainable(
      ObjectiveSettings(
        mixing: configuration.mixing, seed: configuration.seed, training: training,
        weighing: configuration.objective, shares: shares), network: network,
      classNames: training.classNames)
    let loader = try TrainingData(
      configuration, training: training, validation: validation, inputSize: size,
      channels: network.inputChannels, shares: shares
    ).training
    let names = training.classNames
    var cells: [ContactSheet.Cell] = []
    for index in 0..<loader.batchesPerEpoch where cells.count < count {
      // Whole batches: images are mixed with others of theirs.
      var batch = try loader.batch(epoch: epoch, index: index)
      let mixed = configuration.mixing.apply(
        to: &batch, seed: configuration.seed, classes: names.count)
      for place in 0..<min(batch.count, count - cells.count) {
        cells.append(
          Self.cell(
            loader.pipeline.picture(place, of: batch.pixels), batch.targets[place],
            shares: mixed.map { Array($0[place * names.count..<(place + 1) * names.count]) },
            names: names))
      }
    }
    self.cells = cells
    classNames = names
    inputSize = size
  }

  private static func cell(
    _ image: Image, _ target: Target, shares: [Float]?, names: [String]
  ) -> ContactSheet.Cell {
    if case .boxes(let boxes) = target {
      return ContactSheet.Cell(
        image, boxes: boxes.map { DrawnBox($0, text: names[$0.label]) },
        caption: "\(boxes.count) object\(boxes.count == 1 ? "" : "s")")
    }
    guard let shares else {
      let classes = target.classes.map { names[$0] }
      return ContactSheet.Cell(
        image, caption: classes.isEmpty ? "none" : classes.joined(separator: ", "))
    }
    let parts = shares.indices.filter { shares[$0] > 0 }.sorted { shares[$0] > shares[$1] }
    return ContactSheet.Cell(
      image,
      caption: parts.map { "\(names[$0]) \(Int((100 * shares[$0]).rounded()))%" }
        .joined(separator: ", "))
  }
}
