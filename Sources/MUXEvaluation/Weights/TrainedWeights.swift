// SPDX-License-Identifier: Apache-2.0
import MUXCore
public import MUXImages
public import MUXInterchange
public import MUXNetworks
public import MUXRuntime

/// A network's trained weights and what is needed to use them, whatever computes: its classes and
/// what is done to an image before it goes in.
public struct TrainedWeights: Sendable {
  /// Where they come from.
  public let path: String
  /// The network.
  public let network: Network
  /// The tensors under their names, without the prefix of PyTorch's data-parallel wrapper; none
  /// where they are packed for the runtime.
  public let archive: TensorArchive
  /// The model of a file that is packed for the runtime; nil for other weights.
  public let packed: PackedModel?
  /// The classes, in the order of the outputs; "0", "1" … where the file names none.
  public let classNames: [String]
  /// What is done to an image before it goes in.
  public let pipeline: ImagePipeline
  /// What the file says about its training; nil for files of other origin.
  public let metadata: WeightsMetadata?

  /// Reads a weights file of a run, or the best weights of a run's folder; for files of other
  /// origin the network has to be given.
  ///
  /// - Parameters:
  ///   - path: The file or the folder.
  ///   - network: The network; nil takes that of the file.
  ///   - classNames: The classes; nil takes those of the file.
  ///   - prefersAveraged: Whether a PyTorch checkpoint with averaged weights gives those.
  ///   - key: The key of the state dict in a PyTorch checkpoint; nil chooses.
  /// - Throws: If the file cannot be read, or does not say which network it is for;
  ///   ``EvaluationError`` if the network has another number of outputs than there are classes.
  public init(
    path: String, network: Network? = nil, classNames: [String]? = nil,
    prefersAveraged: Bool = true, key: String? = nil
  ) throws {
    if PackedModel.isPacked(path) {
      self = try TrainedWeights(
        PackedModel(contentsOf: path), network: network, classNames: classNames)
      return
    }
    packed = nil
    let archive = try WeightsSource.read(path, prefersAveraged: prefersAveraged, key: key)
    let metadata = try WeightsMetadata(archive.metadata, path: path)
    let own = try metadata?.network ?? ModelFile.network(of: archive, path: path)
    guard let network = network ?? own else {
      throw CheckpointError.mismatch(
        path: path, reason: "it does not say which network it is for; name it with --model")
    }
    self.path = path
    self.network = network
    self.archive = archive.withoutWrapper
    self.metadata = metadata
    let outputs = network.classCount ?? 0
    let names = classNames ?? metadata?.classNames ?? (0..<outputs).map(String.init)
    guard names.count == outputs else {
      throw EvaluationError.classCount(
        network: network.name, outputs: outputs, classes: names.count)
    }
    self.classNames = names
    pipeline = metadata?.pipeline ?? Self.usualPipeline(network)
  }

  /// The usual evaluation of ImageNet networks, which public weights are made for.
  private static func usualPipeline(_ network: Network) -> ImagePipeline {
    ImagePipeline.usual(for: network)
      ?? ImagePipeline.imageNetEvaluation(size: network.inputSize.height)
  }

  /// Reads a packed model.
  private init(_ packed: PackedModel, network: Network?, classNames: [String]?) throws {
    guard network == nil || network == packed.network else {
      throw CheckpointError.mismatch(
        path: packed.path, reason: "it holds another network; leave --model out")
    }
    self.packed = packed
    path = packed.path
    self.network = packed.network
    archive = TensorArchive()
    let outputs = packed.network.classCount ?? 0
    let names = classNames ?? packed.classNames ?? (0..<outputs).map(String.init)
    guard names.count == outputs else {
      throw EvaluationError.classCount(
        network: packed.network.name, outputs: outputs, classes: names.count)
    }
    self.classNames = names
    let pipeline = packed.pipeline ?? Self.usualPipeline(packed.network)
    metadata = try PackedTraining(packed).flatMap { training in
      packed.classNames.map {
        training.metadata(packed.network, classNames: $0, pipeline: pipeline)
      }
    }
    self.pipeline = pipeline
  }

  /// Makes sure that the network can classify.
  ///
  /// - Throws: ``EvaluationError/severalOutputs(network:count:)`` for a detector.
  public func requireClassifier() throws(EvaluationError) {
    guard network.outputs.count == 1 else {
      throw .severalOutputs(network: network.name, count: network.outputs.count)
    }
  }

  /// Packs the weights for the runtime, with the classes and what is done to an image.
  ///
  /// - Parameters:
  ///   - path: The file to write (`PackedModel` of `MUXRuntime`).
  ///   - lanes: The widths of vectors to pack for; nil takes all.
  /// - Throws: ``WeightsMismatchError`` if the tensors are not those of the network.
  public func writePacked(to path: String, lanes: [Int]? = nil) throws {
    try AtomicFile.write(packedBytes(precision: .float32, calibration: nil, lanes: lanes), to: path)
  }

  /// The bytes of a packed file.
  func packedBytes(
    precision: Precision, calibration: Calibration?, lanes: [Int]?
  ) throws -> [UInt8] {
    if packed != nil { throw EvaluationError.packed(path: path) }
    let isNamed = metadata != nil || classNames != (0..<classNames.count).map(String.init)
    return try PackedModel.bytes(
      network, weights: archive.checked(against: network, path: path),
      classNames: isNamed ? classNames : nil,
      pipeline: pipeline, metadata: try PackedTraining(metadata).dictionary(),
      precision: precision, calibration: calibration, lanes: lanes)
  }

  /// The weights in the runtime.
  ///
  /// - Parameters:
  ///   - threads: Threads that work on a batch; nil takes one per core.
  ///   - precision: What products are made of; nil takes what a packed file is for, else single
  ///     precision. 8 bits are for packed files, which hold the calibration.
  /// - Throws: ``WeightsMismatchError`` if the tensors are not those of the network,
  ///   ``EvaluationError/uncalibrated(path:)``, or `RuntimeError` if a packed file is for another
  ///   precision.
  public func runtimeClassifier(
    threads: Int? = nil, precision: Precision? = nil
  ) throws -> RuntimeClassifier {
    if let packed {
      return try RuntimeClassifier(packed, threads: threads, precision: precision)
    }
    guard precision != .int8 else { throw EvaluationError.uncalibrated(path: path) }
    return try RuntimeClassifier(
      network, weights: archive.checked(against: network, path: path), threads: threads,
      precision: precision ?? .float32)
  }
}

extension TensorArchive {
  /// The same tensors without the prefix `module.` that PyTorch's data-parallel wrapper gives to all
  /// names, and with today's names where torchvision's published DenseNets have older ones
  /// (`denselayer1.norm.1` is `denselayer1.norm1` since).
  package var withoutWrapper: TensorArchive {
    let isWrapped = count > 0 && names.allSatisfy { $0.hasPrefix("module.") }
    func current(_ name: String) -> String {
      (isWrapped ? String(name.dropFirst("module.".count)) : name)
        .replacing(/(\.denselayer[0-9]+\.(?:norm|conv))\.([12]\.)/) { "\($0.1)\($0.2)" }
    }
    // A file that has a tensor under both names keeps them, and is refused with both.
    let renames = names.contains { current($0) != $0 } && Set(names.map(current)).count == count
    return renames ? renamed(current) : self
  }

  /// These tensors, which are exactly those of the network.
  ///
  /// - Throws: ``WeightsMismatchError`` with all that is missing, unexpected or of another shape.
  package func checked(against network: Network, path: String?) throws -> TensorArchive {
    let report = LoadReport(self, for: network.parameters)
    guard report.isComplete else {
      throw WeightsMismatchError(
        network: network.name, path: path, report: report, tolerance: .exact)
    }
    return self
  }
}

extension LoadReport {
  /// How tensors and the parameters of a network fit together.
  ///
  /// Missing batch counters are no fault: PyTorch wrote none before 0.4.1, and nothing here depends
  /// on them.
  package init(_ archive: TensorArchive, for parameters: [ParameterSpecification]) {
    self.init()
    for parameter in parameters {
      guard let source = archive[parameter.name] else {
        if parameter.role != .batchCount { missing.append(parameter.name) }
        continue
      }
      if source.shape == parameter.shape {
        loaded.append(parameter.name)
      } else {
        mismatched.append(
          Mismatch(name: parameter.name, expected: parameter.shape, actual: source.shape))
      }
    }
    let known = Set(parameters.map(\.name))
    unexpected = archive.names.filter { !known.contains($0) }
  }
}
