// SPDX-License-Identifier: Apache-2.0
package import MUXEvaluation
package import MUXImages
import MUXTasks
import MUXVision

/// A run with what its best weights do on a part of the data, and pictures of where they are wrong.
package struct RunReport: Sendable {
  /// An image that is wrong.
  package struct Example: Sendable {
    /// What it is called, what is true of it, and what was said.
    package var judged: JudgedImage
    /// The image small: as the network takes it, or as it was, with boxes.
    package var picture: Image
    /// The same with what mattered for the answer; nil where there is none.
    package var heat: Image?
  }

  /// What says which parts of images matter for one of their outputs each; nil says nothing of an image.
  package typealias HeatMaps = (PixelBatch, [Int]) throws -> [HeatMap]

  /// What the folder says.
  package let record: RunRecord
  package let part: DataPart
  /// The scores of its images.
  package var result: EvaluationResult
  /// The images that are most wrong, the worst first.
  package var examples: [Example]
  package let classNames: [String]

  /// The longer side of a picture at most, in pixels.
  private static let side = 160

  /// Evaluates the best weights of a run.
  ///
  /// - Parameters:
  ///   - record: The run.
  ///   - weights: Its weights.
  ///   - model: What computes.
  ///   - configuration: The data.
  ///   - part: Which of them.
  ///   - count: How many wrong images are shown.
  ///   - heatMaps: Says what mattered; nil where nothing can.
  ///   - heated: For how many of the images.
  ///   - progress: Told of the images done and their total.
  /// - Throws: ``RunFolderError/stillTraining(path:epochs:)`` and
  ///   ``RunFolderError/noEpoch(path:)``; errors of the data.
  package init(
    _ record: RunRecord, weights: TrainedWeights, model: some VisionModel,
    configuration: EvaluationConfiguration, part: DataPart, count: Int = 12,
    heatMaps: HeatMaps? = nil, heated: Int = 12,
    progress: @escaping (Int, Int) throws -> Void = { _, _ in }
  ) throws {
    try Self.check(record)
    let data = configuration.data
    let images = try WeightsEvaluation.images(part, of: data, for: weights)
    var evaluator = Evaluator()
    evaluator.keptVerdicts = count
    evaluator.progress = progress
    result = try evaluator.evaluate(
      model, task: weights.task.task, pipeline: weights.pipeline, on: images,
      batchSize: data.evaluationBatchSize ?? configuration.batchSize, workers: data.workers)
    examples = try result.worst.enumerated().map { rank, judged in
      try Self.example(
        judged, of: images, pipeline: weights.pipeline, heatMaps: rank < heated ? heatMaps : nil)
    }
    self.record = record
    self.part = part
    classNames = weights.classNames
  }

  /// Makes sure that there is something to report.
  package static func check(_ record: RunRecord) throws(RunFolderError) {
    if record.isTraining {
      throw .stillTraining(path: record.folder.path, epochs: record.epochs.count)
    }
    if record.epochs.isEmpty { throw .noEpoch(path: record.folder.path) }
  }

  private static func example(
    _ judged: JudgedImage, of images: any ImageDataSet, pipeline: ImagePipeline, heatMaps: HeatMaps?
  ) throws -> Example {
    let sample = try images.sample(at: judged.index)
    if let boxes = judged.verdict.boxes {
      return Example(
        judged: judged, picture: sample.image.rgb.drawing(boxes).small(Self.side * 2), heat: nil)
    }
    var random = ImagePipeline.stream(seed: 0, epoch: 0, index: 0)
    let (size, values) = try pipeline.values(of: sample.image, random: &random)
    let batch = PixelBatch(
      count: 1, channels: pipeline.channels, height: size.height, width: size.width, values: values)
    let picture = pipeline.picture(0, of: batch)
    var heat: Image?
    if let heatMaps, let output = judged.verdict.outputIndex,
      let map = try heatMaps(batch, [output]).first
    {
      heat = picture.small(Self.side).overlaid(with: map)
    }
    return Example(judged: judged, picture: picture.small(Self.side), heat: heat)
  }
}

extension Image {
  /// The image no larger than so many pixels, and not below half of that where whole numbers reach it.
  func small(_ side: Int) -> Image {
    let longer = max(width, height)
    if longer > side {
      let factor = Double(side) / Double(longer)
      return resized(
        width: max(1, Int((Double(width) * factor).rounded())),
        height: max(1, Int((Double(height) * factor).rounded())))
    }
    let zoom = side / longer
    return zoom < 2
      ? self : resized(width: width * zoom, height: height * zoom, interpolation: .nearest)
  }
}
