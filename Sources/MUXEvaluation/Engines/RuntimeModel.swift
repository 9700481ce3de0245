// SPDX-License-Identifier: Apache-2.0
public import MUXImages
public import MUXNetworks
public import MUXRuntime
public import MUXTasks
public import MUXWeights

/// Computes a network's outputs with the inference runtime, without libtorch.
///
/// Images of a new size get a plan of their own, which is kept. Belongs to one thread at a time.
public final class RuntimeModel: VisionModel {
  /// The network that is run.
  public let network: Network
  /// The threads that work on a batch.
  public let threads: Int
  /// The precision of the operands of products.
  public let precision: Precision
  private let makePlan: (ImageSize) throws -> InferencePlan
  private var engines: [ImageSize: InferenceEngine] = [:]

  /// The runtime's own order.
  public var layout: MemoryLayout4D { .channelsFirst }

  /// A model from a network and its tensors; a plan for its own image size is made at once, so
  /// that what does not fit is found here.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - weights: All of its tensors under their names.
  ///   - threads: Threads that work on a batch; nil takes one per core.
  ///   - instructionSet: The kernels' variant; nil takes the best one here.
  ///   - precision: The precision of the operands of products.
  ///   - calibration: The ranges of the tensors, which 8 bits need.
  public convenience init(
    _ network: Network, weights: TensorArchive, threads: Int? = nil,
    instructionSet: InstructionSet? = nil, precision: Precision = .float32,
    calibration: Calibration? = nil
  ) throws {
    try self.init(
      CheckedWeights(weights, for: network), threads: threads, instructionSet: instructionSet,
      precision: precision, calibration: calibration)
  }

  /// A model of weights that are checked already.
  package init(
    _ weights: CheckedWeights, threads: Int? = nil, instructionSet: InstructionSet? = nil,
    precision: Precision = .float32, calibration: Calibration? = nil, kept: Set<String> = []
  ) throws {
    network = weights.network
    self.precision = precision
    self.threads = threads ?? InferenceEngine.coreCount
    makePlan = {
      try InferencePlan(
        weights, inputSize: $0, instructionSet: instructionSet, precision: precision,
        calibration: calibration, kept: kept)
    }
    _ = try engine(for: network.inputSize)
  }

  /// A model from a packed file.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - threads: Threads that work on a batch; nil takes one per core.
  ///   - instructionSet: The kernels' variant; nil takes the best one that the file is for.
  ///   - precision: What the file must be packed for; nil takes what it is.
  public init(
    _ model: PackedModel, threads: Int? = nil, instructionSet: InstructionSet? = nil,
    precision: Precision? = nil
  ) throws {
    network = model.network
    self.precision = model.precision
    self.threads = threads ?? InferenceEngine.coreCount
    makePlan = {
      try InferencePlan(
        model, inputSize: $0, instructionSet: instructionSet, precision: precision)
    }
    _ = try engine(for: network.inputSize)
  }

  /// The engine for images of a size.
  public func engine(for size: ImageSize) throws -> InferenceEngine {
    if let engine = engines[size] { return engine }
    let engine = try InferenceEngine(makePlan(size), threads: threads)
    engines[size] = engine
    return engine
  }

  /// All outputs of the network for N images, in the order of the network's `outputs`.
  ///
  /// - Throws: `RuntimeError` for images of other channels, or that hold a number that is not finite;
  ///   `NetworkError` for images that are too small.
  public func outputs(_ batch: PixelBatch) throws -> [OutputTensor] {
    let engine = try engine(for: ImageSize(height: batch.height, width: batch.width))
    let values = batch.layout == .channelsFirst ? batch.values : Self.channelsFirst(batch)
    // One image is shared by all threads; of several, each thread takes one at a time.
    let results =
      batch.count == 1 ? try engine.run(values) : try engine.run(values, count: batch.count)
    return split(results, of: engine.plan, count: batch.count)
  }

  /// The outputs one by one; an image's come one after the other.
  private func split(_ values: [Float], of plan: InferencePlan, count: Int) -> [OutputTensor] {
    let stride = plan.outputs.reduce(0) { $0 + $1.shape.count }
    var start = 0
    return zip(plan.outputs, network.outputIndices).map { output, index in
      let shape = output.shape
      defer { start += shape.count }
      let own =
        stride == shape.count
        ? values
        : (0..<count).flatMap { values[$0 * stride + start..<$0 * stride + start + shape.count] }
      let sides = network.isFlat(index) ? [] : [shape.height, shape.width]
      return OutputTensor(name: output.name, shape: [count, shape.channels] + sides, values: own)
    }
  }

  private static func channelsFirst(_ batch: PixelBatch) -> [Float] {
    let plane = batch.height * batch.width, channels = batch.channels
    var result = [Float](repeating: 0, count: batch.values.count)
    for image in 0..<batch.count {
      let start = image * plane * channels
      for channel in 0..<channels {
        for pixel in 0..<plane {
          result[start + channel * plane + pixel] =
            batch.values[start + pixel * channels + channel]
        }
      }
    }
    return result
  }
}
