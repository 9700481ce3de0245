// SPDX-License-Identifier: Apache-2.0
import MUXCore
public import MUXImages
public import MUXNetworks
import MUXPyTorch
public import MUXRuntime
public import MUXTasks
public import MUXWeights

/// A network's trained weights and what is needed to use them, whatever computes: its classes and
/// what is done to an image before it goes in.
public struct TrainedWeights: Sendable {
  /// Where they come from.
  public let path: String
  /// The network that the weights are of.
  public let network: Network
  /// The tensors under the network's names, whatever wrappers had put into them; none where they are
  /// packed for the runtime.
  public let archive: TensorArchive
  /// The model of a file that is packed for the runtime; nil for other weights.
  public let packed: PackedModel?
  /// What the network is for.
  public let task: NamedTask
  /// The classes, in the order of the outputs; "0", "1" … where the file names none.
  public let classNames: [String]
  /// What is done to an image before it goes in.
  public let pipeline: ImagePipeline
  /// What was chosen among several state dicts of a checkpoint; nil where there was no choice.
  public let remark: String?
  /// What the file says about its training; nil for files of other origin.
  public let metadata: WeightsMetadata?

  /// Reads a weights file of a run, or the best weights of a run's folder; for files of other
  /// origin the network has to be given.
  ///
  /// - Parameters:
  ///   - path: The file or the folder, or the name of public weights that were fetched.
  ///   - network: The network; nil takes that of the file.
  ///   - classNames: The classes; nil takes those of the file.
  ///   - task: What the network is for; nil takes what the file says, or classification.
  ///   - prefersAveraged: Whether a PyTorch checkpoint with averaged weights gives those.
  ///   - key: The key of the state dict in a PyTorch checkpoint; nil chooses. Other files have none.
  /// - Throws: If the file cannot be read, or does not say which network it is for;
  ///   `TaskError` if the outputs of the network are not those of the task for the classes.
  public init(
    path: String, network: Network? = nil, classNames: [String]? = nil, task: NamedTask? = nil,
    prefersAveraged: Bool = true, key: String? = nil
  ) throws {
    let path = try WeightsSource.resolve(path)
    if PackedModel.isPacked(path) {
      if let key { throw WeightsFileError(path: path, key: key, kind: "a packed file") }
      self = try TrainedWeights(
        PackedModel(contentsOf: path), network: network, classNames: classNames, task: task)
      return
    }
    packed = nil
    let file = try WeightsSource.load(path, prefersAveraged: prefersAveraged, key: key)
    let archive = file.archive
    remark = file.remark
    let metadata = try WeightsMetadata(archive.metadata, path: path)
    let own = try metadata?.network ?? ModelFile.network(of: archive, path: path)
    guard let network = network ?? own else {
      throw CheckpointError.unreadable(
        path: path, reason: "it does not say which network it is for; name the network")
    }
    self.path = path
    self.network = network
    self.archive = archive.named(for: network.parameters)
    self.metadata = metadata
    self.task = task ?? metadata?.task ?? NamedTask()
    self.classNames = try Self.classNames(
      classNames ?? metadata?.classNames, self.task, network: network)
    pipeline = metadata?.pipeline ?? Self.usualPipeline(network)
    try Self.checkProportion(pipeline, network, path: path)
  }

  /// The pixels of an image that a file may ask for on its own: 4096×4096.
  private static let pixelAllowance = 1 << 24

  /// The transforms that a file may ask for; recipes have a dozen.
  private static let transformAllowance = 64

  /// A file's claim about the size of prepared images must not take all memory: they have at most as many
  /// pixels as ``pixelAllowance``, or 64 times those of the network's own. Nor may a file keep a processor
  /// busy for hours with one image.
  private static func checkProportion(
    _ pipeline: ImagePipeline, _ network: Network, path: String
  ) throws {
    guard pipeline.transforms.count <= transformAllowance else {
      throw CheckpointError.unreadable(
        path: path,
        reason: "its pipeline has \(pipeline.transforms.count) transforms, more than the limit of"
          + " \(transformAllowance); write the file anew")
    }
    let own = network.inputSize.height.multipliedReportingOverflow(by: network.inputSize.width)
    let limit = max(pixelAllowance, own.overflow ? 0 : min(own.partialValue, 1 << 40) * 64)
    for size in pipeline.transforms.compactMap(\.statedSize) {
      let (pixels, overflow) = size.width.multipliedReportingOverflow(by: size.height)
      guard overflow || pixels > limit else { continue }
      throw CheckpointError.unreadable(
        path: path,
        reason: "its pipeline makes images of \(size.width)×\(size.height), out of proportion to"
          + " the network's \(network.inputSize); write the file anew")
    }
  }

  /// The classes; numbers where none are named. A network of several outputs is no use to most tasks,
  /// but its weights may be read.
  private static func classNames(
    _ given: [String]?, _ task: NamedTask, network: Network
  ) throws -> [String] {
    let names = given ?? (0..<(network.classCount ?? 0)).map(String.init)
    if network.outputs.count == 1 {
      _ = try task.task.head(for: network, classNames: names)
    }
    return names
  }

  /// The usual evaluation of ImageNet networks, which public weights are made for.
  private static func usualPipeline(_ network: Network) -> ImagePipeline {
    ImagePipeline.usual(for: network)
      ?? ImagePipeline.imageNetEvaluation(size: network.inputSize.height)
  }

  /// Reads a packed model.
  private init(
    _ packed: PackedModel, network: Network?, classNames: [String]?, task: NamedTask?
  ) throws {
    guard network == nil || network == packed.network else {
      throw CheckpointError.unreadable(
        path: packed.path, reason: "it holds another network; leave the network out")
    }
    self.packed = packed
    remark = nil
    path = packed.path
    self.network = packed.network
    archive = TensorArchive()
    let training = try PackedTraining(packed)
    self.task = task ?? training?.task ?? NamedTask()
    self.classNames = try Self.classNames(
      classNames ?? packed.classNames, self.task, network: packed.network)
    let pipeline = packed.pipeline ?? Self.usualPipeline(packed.network)
    metadata = training.flatMap { training in
      packed.classNames.map {
        training.metadata(packed.network, classNames: $0, pipeline: pipeline)
      }
    }
    self.pipeline = pipeline
    try Self.checkProportion(pipeline, packed.network, path: path)
  }

  /// What makes sense of the network's outputs.
  ///
  /// - Throws: `TaskError` where they are not those of the task, as for a detector that is to classify.
  public func head() throws -> any TaskHead {
    try task.task.head(for: network, classNames: classNames).forImages(preparedBy: pipeline)
  }

  /// Packs the weights for the runtime, with the classes and what is done to an image.
  ///
  /// - Parameters:
  ///   - path: The file to write (`PackedModel` of `MUXRuntime`).
  ///   - lanes: The widths of vectors to pack for; nil takes all.
  /// - Throws: `WeightsMismatchError` if the tensors are not those of the network, `TensorValueError`
  ///   if they hold numbers that it cannot compute with.
  public func writePacked(to path: String, lanes: [Int]? = nil) throws {
    let packing = try pack(precision: .float32, calibration: nil, lanes: lanes)
    try AtomicFile.write(packing.bytes, to: path)
  }

  /// The tensors, which are exactly those of the network, with sound numbers.
  package func checked() throws -> CheckedWeights {
    if packed != nil { throw EvaluationError.packed(path: path) }
    return try CheckedWeights(archive, for: network, path: path)
  }

  /// The bytes of a packed file, and the channels that its precision makes 0; some layers may be kept in
  /// single precision.
  func pack(
    precision: Precision, calibration: Calibration?, kept: Set<String> = [], lanes: [Int]?
  ) throws -> (bytes: [UInt8], vanishing: [VanishingChannels]) {
    let isNamed = metadata != nil || classNames != (0..<classNames.count).map(String.init)
    return try PackedModel.pack(
      checked(), classNames: isNamed ? classNames : nil,
      task: task.name == Classification.name ? nil : task.name,
      taskSettings: task.hasSettings ? task : nil, pipeline: pipeline,
      metadata: try PackedTraining(metadata).dictionary(),
      precision: precision, calibration: calibration, kept: kept.sorted(), lanes: lanes)
  }

  /// The weights in the runtime.
  ///
  /// - Parameters:
  ///   - threads: Threads that work on a batch; nil takes one per core.
  ///   - precision: The precision of operands; nil takes what a packed file is for, else single
  ///     precision. 8 bits are for packed files, which hold the calibration.
  /// - Throws: `WeightsMismatchError` if the tensors are not those of the network,
  ///   ``EvaluationError/uncalibrated(path:)``, or `RuntimeError` if a packed file is for another
  ///   precision.
  public func runtimeModel(
    threads: Int? = nil, precision: Precision? = nil
  ) throws -> RuntimeModel {
    if let packed {
      return try RuntimeModel(packed, threads: threads, precision: precision)
    }
    guard precision != .int8 else { throw EvaluationError.uncalibrated(path: path) }
    return try RuntimeModel(
      checked(), threads: threads, precision: precision ?? .float32)
  }
}
