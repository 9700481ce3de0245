// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
public import MUXImages
public import MUXNetworks
package import MUXTasks
public import MUXWeights

/// A network compiled for inference on images of one size: steps, packed weights, memory plan.
///
/// A plan never changes, so any number of engines may share it, on any threads.
/// ```swift
/// let plan = try InferencePlan(model: "muxnet_m.muxnet")
/// let engine = try InferenceEngine(plan, threads: 1)
/// let logits = try engine.run(pixels)
/// ```
///
/// Unchecked because it holds pointers: to memory that only the initializer writes.
public final class InferencePlan: @unchecked Sendable {
  /// The network's name.
  public let name: String
  /// [C, H, W] of the images that go in.
  public let inputShape: Shape
  /// [C, H, W] of what comes out; [classes, 1, 1] for a classifier. Of a network with several
  /// outputs, [values of all of them, 1, 1].
  public let outputShape: Shape
  /// The outputs, in the order in which their values come out; one, except for detectors.
  public let outputs: [PlanOutput]
  /// The kernels' variant.
  public let instructionSet: InstructionSet
  /// What the plan does, step by step.
  public let steps: [PlanStep]

  /// The precision of its products.
  public let precision: Precision
  /// The classes, in the order of the outputs; nil if the model does not name them.
  public let classNames: [String]?
  /// The name of what the network is for, such as `multiLabel`; nil for classification.
  public let task: String?
  /// The settings of that task, where the model has any.
  package let taskSettings: NamedTask?
  /// What is done to an image before it goes in, for images of the plan's size: what the model says,
  /// else what is usual for networks of ImageNet. Nil if the network takes neither grey nor colours.
  public let pipeline: ImagePipeline?

  /// As many as ``steps``, in memory that lives as long as the plan.
  let compiled: UnsafePointer<mux_step>
  /// What the plan measures, by key: where in the arena.
  let observations: [(key: String, offset: Int)]
  /// Floats of the arena of an engine, of its scratch memory, and of the result in the arena.
  let arenaSize: Int
  let scratchSize: Int
  let inputOffset: Int
  let outputOffset: Int
  /// Where the features are that the last layer makes classes of; nil if there is no such layer.
  let featurePlace: FeaturePlace?
  /// Floats that must not be touched, for tests.
  let guards: [Range<Int>]
  let isGuarded: Bool
  let memory: PlanMemory
  /// Keeps the file mapped in which the weights lie.
  let file: PackedWeights?

  /// Makes sure that a mapped file is still what it was.
  func checkFile() throws(RuntimeError) { try file?.watch?.check() }

  /// Bytes of the packed weights (in memory or in the mapped file) and of what describes the steps.
  public var weightBytes: Int { memory.byteCount + (file?.data.count ?? 0) }
  /// Of these, what is not in a mapped file.
  package var ownBytes: Int { memory.byteCount }
  /// The length of an image's features (``InferenceEngine/features(_:)``): what the last fully connected
  /// layer reads. Nil if the network does not end with one.
  public var featureCount: Int? { featurePlace?.offsets.count }
  /// Bytes that one engine needs for the tensors of an image.
  public var arenaBytes: Int { arenaSize * 4 }
  /// Bytes that each of its threads needs beside.
  package var scratchBytes: Int { scratchSize * 4 }

  /// Compiles a network.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - weights: Its tensors under their names, batch norms not folded.
  ///   - inputSize: The size of the images; nil takes that of the preparation, else the network's own.
  ///   - instructionSet: The kernels' variant; nil takes the best one here.
  ///   - precision: The precision of products.
  ///   - calibration: The ranges of the tensors, which 8 bits need.
  ///   - classNames: The classes, in the order of the outputs.
  ///   - pipeline: What is done to an image before it goes in; it must have no random steps.
  /// - Throws: `WeightsMismatchError` if the weights are not those of the network,
  ///   `TensorValueError` if they hold numbers that it cannot compute with, ``RuntimeError`` if
  ///   calibration, classes or preparation do not fit, `NetworkError` if the image size does not.
  public convenience init(
    _ network: Network, weights: TensorArchive, inputSize: ImageSize? = nil,
    instructionSet: InstructionSet? = nil, precision: Precision = .float32,
    calibration: Calibration? = nil, classNames: [String]? = nil, pipeline: ImagePipeline? = nil
  ) throws {
    try self.init(
      CheckedWeights(weights, for: network), inputSize: inputSize, instructionSet: instructionSet,
      precision: precision, calibration: calibration, classNames: classNames, pipeline: pipeline)
  }

  /// Compiles a network; if `isGuarded`, so that every buffer ends at an untouchable page.
  package convenience init(
    _ network: Network, weights: TensorArchive, inputSize: ImageSize?,
    instructionSet: InstructionSet?, isGuarded: Bool, precision: Precision = .float32,
    calibration: Calibration? = nil, isObserving: Bool = false
  ) throws {
    try self.init(
      CheckedWeights(weights, for: network), inputSize: inputSize, instructionSet: instructionSet,
      isGuarded: isGuarded, precision: precision, calibration: calibration,
      isObserving: isObserving)
  }

  /// Compiles a network whose weights are checked already.
  package convenience init(
    _ weights: CheckedWeights, inputSize: ImageSize? = nil,
    instructionSet: InstructionSet? = nil, isGuarded: Bool = false,
    precision: Precision = .float32, calibration: Calibration? = nil, isObserving: Bool = false,
    kept: Set<String> = [], classNames: [String]? = nil, task: String? = nil,
    taskSettings: NamedTask? = nil, pipeline: ImagePipeline? = nil
  ) throws {
    let network = weights.network
    if let defect = PackedDescription.defect(
      network, classNames: classNames, task: task, pipeline: pipeline)
    {
      throw RuntimeError.description(network: network.name, reason: defect)
    }
    try self.init(
      network, LayerWeights(weights), PackedWeightSource(), file: nil,
      inputSize: inputSize, instructionSet: instructionSet ?? .current, isGuarded: isGuarded,
      precision: precision, calibration: calibration, isObserving: isObserving, kept: kept,
      classNames: classNames, task: task, taskSettings: taskSettings, pipeline: pipeline)
  }

  /// Makes a plan of a packed model; the weights are used where they lie in the file.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - inputSize: The size of the images; nil takes that of the preparation, else the network's own.
  ///   - instructionSet: The kernels' variant; nil takes the best one that the file has weights for.
  ///   - precision: What the file must be packed for; nil takes what it is.
  /// - Throws: ``RuntimeError`` if the file is damaged, was made by another version, or has no
  ///   weights for this processor or of that precision; `NetworkError` if the images are too small
  ///   for the network.
  public convenience init(
    _ model: PackedModel, inputSize: ImageSize? = nil, instructionSet: InstructionSet? = nil,
    precision: Precision? = nil
  ) throws {
    if let precision, precision != model.precision {
      throw RuntimeError.precision(
        path: model.path, held: model.precision.rawValue, asked: precision.rawValue)
    }
    try self.init(
      model, inputSize: inputSize, instructionSet: instructionSet, isGuarded: false)
  }

  /// Makes a plan of a packed model; if `isGuarded`, of copies that end at untouchable pages.
  package convenience init(
    _ model: PackedModel, inputSize: ImageSize?, instructionSet: InstructionSet?, isGuarded: Bool
  ) throws {
    let set = try instructionSet ?? model.bestInstructionSet()
    guard let file = try model.weights(lanes: set.lanes) else {
      throw RuntimeError.modelFile(
        path: model.path,
        reason: "it has no weights for '\(set.rawValue)' kernels (\(set.lanes) lanes); convert it"
          + " again")
    }
    let source = PackedWeightSource(file)
    do {
      try self.init(
        model.network, .absent, source, file: file, inputSize: inputSize, instructionSet: set,
        isGuarded: isGuarded, precision: model.precision, calibration: model.calibration,
        kept: model.kept, classNames: model.classNames, task: model.task,
        taskSettings: model.taskSettings, pipeline: model.pipeline)
    } catch let misfit as PackedMisfit {
      throw RuntimeError.modelFile(
        path: model.path,
        reason: "its weights for \(misfit.place) are packed in another way than this program"
          + " expects: it was made by another version; convert it again")
    }
  }

  private init(
    _ network: Network, _ weights: LayerWeights, _ source: PackedWeightSource,
    file: PackedWeights?, inputSize: ImageSize?, instructionSet: InstructionSet, isGuarded: Bool,
    precision: Precision = .float32, calibration: Calibration? = nil, isObserving: Bool = false,
    kept: Set<String> = [], classNames: [String]? = nil, task: String? = nil,
    taskSettings: NamedTask? = nil, pipeline: ImagePipeline? = nil
  ) throws {
    guard instructionSet.isAvailable else {
      throw RuntimeError.instructionSet(instructionSet.rawValue)
    }
    let prepared = pipeline?.outputSize.map { ImageSize(height: $0.height, width: $0.width) }
    let size = inputSize ?? prepared ?? network.inputSize
    let made = try CompiledProgram(
      network, weights, source, size: size,
      target: PlanTarget(
        lanes: instructionSet.lanes, precision: precision, isObserving: isObserving, kept: kept),
      calibration: calibration, isGuarded: isGuarded)
    let (program, placement) = (made.program, made.placement)
    memory = made.memory
    scratchSize = try made.scratchSize(instructionSet, size: size)
    compiled = memory.copy(made.steps)
    steps = zip(program.steps, made.steps).map { step, compiled in
      PlanStep(
        name: step.name, kind: step.kind, multiplyAdds: program.multiplyAdds(of: step),
        taskCount: withUnsafePointer(to: compiled) { Int(mux_step_tasks($0)) })
    }
    name = network.name
    inputShape = Shape(
      channels: network.inputChannels, height: size.height, width: size.width)
    let shapes = program.outputs.map(\.shape)
    self.outputs = zip(network.outputs, shapes).map { PlanOutput(name: $0, shape: $1) }
    outputShape =
      shapes.count == 1 ? shapes[0] : Shape(channels: shapes.reduce(0) { $0 + $1.count })
    self.instructionSet = instructionSet
    self.precision = precision
    observations = program.observations.map { ($0.key, placement[$0.place]) }
    self.isGuarded = isGuarded
    arenaSize = placement.size
    inputOffset = placement[Program.input]
    outputOffset = program.outputs.first.map { placement[$0.place] } ?? 0
    featurePlace = FeaturePlace(program, placement)
    guards =
      isGuarded
      ? placement.stretches.map { stretch in
        let end = stretch.offset + stretch.storage.size
        return end..<end + PlanMemory.pageSize / 4
      } : []
    self.file = file
    self.classNames = classNames
    self.task = task
    self.taskSettings = taskSettings
    self.pipeline = (pipeline ?? .usual(for: network))?
      .fitted(to: size)
  }
}

/// One output of a plan: its layer and its shape without the batch.
public struct PlanOutput: Sendable, Hashable {
  /// The layer that gives it.
  public let name: String
  /// [C, H, W].
  public let shape: Shape
}

/// One step of a plan, as profiles name it.
public struct PlanStep: Sendable, Hashable {
  /// The layer that the step computes, or the one that gives it its name.
  public let name: String
  /// What kind of step it is: `spatial` (expansion and spatial convolution), `dense`, `linear` …
  public let kind: String
  /// Multiply-adds of its convolutions and linear layers.
  public let multiplyAdds: Int
  /// The parts that threads can share.
  public let taskCount: Int
}
