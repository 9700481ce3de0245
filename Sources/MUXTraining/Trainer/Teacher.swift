// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXEvaluation
import MUXImages
import MUXNetworks
import MUXRuntime
import MUXTasks
import MUXTensor
import MUXVision

/// A trained network that says about the images of a training what it thinks of them.
final class Teacher: TeacherAnswers {
  /// A hash of its weights, by which a run that goes on knows it again.
  let digest: String
  /// What is worth a line.
  private(set) var notices: [String] = []

  private let answering: any VisionModel
  /// The network in libtorch, where the values of its layers are asked for.
  private let model: NetworkModel?
  /// The names of those layers.
  var layers: [String] = []
  private let weights: TrainedWeights
  /// The student's classes among the teacher's, nil where they are in one order.
  private let order: [Int]?
  private let classes: Int
  private let student: ImagePipeline
  private let size: ImageSize
  /// The outputs for each training image, where every epoch shows the same.
  private var known: [Float]?

  /// The most bytes of outputs that are kept.
  private static let cacheLimit = 256 << 20

  /// Reads a teacher.
  ///
  /// - Parameters:
  ///   - path: Its weights, or the folder of its run.
  ///   - task: What the student learns.
  ///   - classNames: The classes of the student.
  ///   - student: How the student's images are normalised.
  ///   - device: Where it runs: on the CPU in the inference runtime, elsewhere in libtorch.
  ///   - givesFeatures: Whether the values of its layers will be asked for, which libtorch has alone.
  init(
    path: String, task: NamedTask, classNames: [String], student: ImagePipeline, device: Device,
    givesFeatures: Bool = false
  ) throws {
    weights = try TrainedWeights(path: path)
    func refuse(_ reason: String) -> ConfigurationError {
      ConfigurationError(setting: "distillation.teacher", value: path.printable, expected: reason)
    }
    guard weights.task.name == task.name else {
      throw refuse("it is for the task \(weights.task.name), and the student learns \(task.name)")
    }
    let own = weights.classNames
    guard own.count == classNames.count else {
      throw refuse("it knows \(own.count) classes, and the data has \(classNames.count)")
    }
    let isNamed = own != own.indices.map(String.init)
    if !isNamed, own != classNames {
      notices.append(
        "the classes of \(path) have no names; they are taken in the order of the data's")
      order = nil
    } else {
      let missing = classNames.filter { !own.contains($0) }
      guard missing.isEmpty else {
        throw refuse(
          "it does not know \(missing.prefix(5).map(\.printable).joined(separator: ", ")); its classes"
            + " are \(own.prefix(8).map(\.printable).joined(separator: ", "))"
            + (own.count > 8 ? ", …" : ""))
      }
      order = own == classNames ? nil : classNames.compactMap { own.firstIndex(of: $0) }
    }
    guard weights.network.inputChannels == student.channels else {
      throw refuse(
        "it takes images of \(weights.network.inputChannels) channels, the student of"
          + " \(student.channels)")
    }
    classes = classNames.count
    self.student = student
    size = Self.size(weights)
    digest = String(
      try ByteRegion(mapping: WeightsSource.file(of: path)).withUnsafeBytes {
        Manifest.File.hash($0)
      }, radix: 16)
    // On the CPU the runtime is faster (results/inference).
    let isRuntime = device == .cpu && !givesFeatures
    if isRuntime {
      model = nil
      answering = try weights.runtimeModel(threads: TorchRuntime.threads)
    } else {
      let trained = try TrainedModel(weights, device: device).model
      model = givesFeatures ? trained : nil
      answering = TorchModel(trained)
    }
    notices.append(
      "the teacher is \(path.printable) (\(weights.network.name), \(size)),"
        + (isRuntime ? " in the inference runtime" : " in libtorch"))
  }

  /// The size of the images that it was trained for.
  private static func size(_ weights: TrainedWeights) -> ImageSize {
    switch weights.pipeline.transforms.last {
    case .centerCrop(let size): return size
    case .resize(let resize):
      if let size = resize.size { return size }
    case .letterbox(let letterbox): return letterbox.size
    case .randomCrop, .randomResizedCrop, .horizontalFlip, .colorJitter, .randAugment,
      .photometricDistortion, .randomExpansion, .overlapCrop, nil:
      break
    }
    let own = weights.network.inputSize
    return ImageSize(height: own.height, width: own.width)
  }

  /// Computes the outputs for all training images at once, where every epoch shows them unchanged.
  func learn(_ loader: DataLoader) throws {
    let data = loader.dataSet
    guard data.count <= Self.cacheLimit / 4 / max(classes, 1) else { return }
    var settings = loader.settings
    settings.shuffles = false
    settings.dropsLast = false
    let plain = try DataLoader(data, pipeline: loader.pipeline, settings: settings)
    let stream = try plain.epoch(0)
    defer { stream.cancel() }
    var values: [Float] = []
    while let batch = try stream.next() { values += try computed(batch.pixels) }
    known = values
    notices.append(
      "the teacher's answers to the \(data.count) images are computed once: nothing changes")
  }

  /// The network, for whoever pairs its layers with others.
  var network: Network { weights.network }
  /// The size of the images that it takes.
  var imageSize: ImageSize { size }

  /// Its outputs for a batch, [N, classes] in the order of the student's classes, and the values of
  /// ``layers``.
  func answers(
    _ pixels: PixelBatch, samples: [Int]
  ) throws -> (outputs: Tensor, features: [Tensor]) {
    let values: [Float]
    var features: [Tensor] = []
    if let known {
      values = samples.flatMap { known[$0 * classes..<($0 + 1) * classes] }
    } else if let model, !layers.isEmpty {
      model.isTraining = false
      let (output, found) = try model.forward(
        model.images(of: prepared(pixels)), capturing: layers)
      features = layers.compactMap { found[$0] }
      values = inOrder(try checked(output.floats(), count: pixels.count), count: pixels.count)
    } else {
      values = try computed(pixels)
    }
    return (try Tensor(values, shape: [pixels.count, classes]), features)
  }

  private func computed(_ pixels: PixelBatch) throws -> [Float] {
    let outputs = try answering.finiteOutputs(prepared(pixels))
    let values = try checked(outputs.first?.values ?? [], count: pixels.count)
    return inOrder(values, count: pixels.count)
  }

  /// Outputs of as many classes as it should know.
  private func checked(_ values: [Float], count: Int) throws -> [Float] {
    guard values.count == count * classes else {
      throw TaskError.outputCount(
        task: weights.task.name, network: weights.network.name,
        outputs: values.count / max(count, 1), classes: classes, expected: classes)
    }
    return values
  }

  /// Outputs in the order of the student's classes.
  private func inOrder(_ values: [Float], count: Int) -> [Float] {
    guard let order else { return values }
    return (0..<count).flatMap { image in order.map { values[image * classes + $0] } }
  }

  /// The images as the teacher takes them: normalised and sized as those that it was trained on.
  private func prepared(_ batch: PixelBatch) throws -> PixelBatch {
    let own = weights.pipeline
    let isSized = batch.width == size.width && batch.height == size.height
    if isSized, own.mean == student.mean, own.standardDeviation == student.standardDeviation,
      own.channelOrder == student.channelOrder
    {
      return batch
    }
    return try withoutGradient {
      let shape = [batch.count, batch.height, batch.width, batch.channels]
      var images =
        try batch.layout == .channelsLast
        ? Tensor(batch.values, shape: shape).permute([0, 3, 1, 2])
        : Tensor(batch.values, shape: batch.shape)
      func channel(_ values: [Float]) throws -> Tensor {
        try Tensor(values, shape: [1, values.count, 1, 1])
      }
      images = try images * channel(student.standardDeviation) + channel(student.mean)
      if own.channelOrder != student.channelOrder { images = try images.flip([1]) }
      if !isSized {
        let shrinks = batch.width > size.width || batch.height > size.height
        images = try images.resized(
          height: size.height, width: size.width, .bilinear, antialias: shrinks)
      }
      images = try (images - channel(own.mean)) / channel(own.standardDeviation)
      return PixelBatch(
        count: batch.count, channels: batch.channels, height: size.height, width: size.width,
        layout: .channelsLast,
        values: try images.permute([0, 2, 3, 1]).contiguous().floats())
    }
  }
}

extension ImagePipeline {
  /// Whether every epoch sees an image the same.
  var isFixed: Bool {
    !transforms.contains(where: \.isRandom) && erasing == nil && cutout == nil
  }
}
