// SPDX-License-Identifier: Apache-2.0
import MUXCore
public import MUXNetworks
public import MUXTensor

/// A network with its weights, ready to run on libtorch.
///
/// The node-by-node executor is the reference for everything else that runs a `Network`: it works
/// on every device and element type, and `backward` on its output gives the gradients of all
/// parameters. On the CPU, images and weights are kept channels-last, which is much faster there.
///
/// The parameters' tensors are made once and only overwritten afterwards, so an optimizer may hold
/// on to them. A model belongs to one thread at a time.
public final class NetworkModel {
  /// What is run.
  public let network: Network
  /// Where it runs.
  public let device: Device
  /// The element type of the parameters and of the images.
  public let dtype: DType
  /// Whether batch norms use (and record) the statistics of the batch, and dropout drops. New
  /// models are set for inference.
  public var isTraining = false
  /// The source of dropout's randomness. Reseed it per step to make a step repeatable.
  public let generator: TorchGenerator

  /// What the state dict holds, in its order.
  public let specifications: [ParameterSpecification]
  let state: [Tensor]
  let stateByNode: [[Tensor]]
  private let stateByName: [String: Tensor]
  let plan: ExecutionPlan
  var segments: [Int: Segment] = [:]
  /// The first node of the segment that a node is in.
  var segmentStarts: [Int: Int] = [:]
  /// Batch norms that use their running statistics also in training: positions of nodes.
  var restingNorms: Set<Int> = []
  /// Whether training keeps only the values between blocks for the backward pass, and computes what is
  /// inside of them anew there: the same gradients with less memory and more time. After `backward` on
  /// what was made of the outputs comes ``finishBackward(autocast:)``.
  public var checkpointsActivations = false
  /// The forward passes whose backward pass is not done yet.
  var regions: [CheckpointedRegion] = []
  /// Nodes whose values are kept from each forward pass of training, for whoever reads them.
  var watched: Set<Int> = []
  /// Their values in the last one.
  var watchedValues: [Int: Tensor] = [:]
  private var checkedSizes: Set<ImageSize> = []

  /// A network with fresh weights.
  ///
  /// - Parameters:
  ///   - network: what to run.
  ///   - seed: decides the weights (the same ones on every device) and dropout.
  ///   - device: where to run it.
  ///   - dtype: the type of the parameters: `float32`, `float64` or `bfloat16`.
  ///   - fusesOperations: whether whole blocks run as one operation where that is possible
  ///     (``installFusedOperations()``): the same results up to rounding, much faster.
  public init(
    _ network: Network, seed: UInt64, device: Device = .cpu, dtype: DType = .float32,
    fusesOperations: Bool = true
  ) throws {
    guard dtype.isFloatingPoint else { throw ExecutionError.parameterType(dtype) }
    try device.requireAvailable()
    self.network = network
    self.device = device
    self.dtype = dtype
    var dropout = RandomStream(seed: seed, purpose: .dropout)
    generator = try TorchGenerator(seed: dropout.next(), device: device)
    specifications = network.parameters
    plan = ExecutionPlan(network)
    var state: [Tensor] = []
    var byNode = [[Tensor]](repeating: [], count: network.nodes.count)
    for (index, specification) in specifications.enumerated() {
      let initializer = ParameterInitializer(network.initialization, seed: seed)
      var tensor = try initializer.tensor(specification, index: index)
      if specification.role != .batchCount { tensor = try tensor.to(dtype) }
      tensor = try tensor.to(device)
      if specification.shape.count == 4, device == .cpu {
        tensor = try tensor.contiguous(.channelsLast)
      }
      if specification.isLearnable { try tensor.setRequiresGrad() }
      state.append(tensor)
      byNode[specification.node].append(tensor)
    }
    self.state = state
    stateByNode = byNode
    stateByName = Self.byName(specifications, state)
    if fusesOperations { try installFusedOperations() }
  }

  /// A network over tensors that it does not own, such as parts of weights that networks share; gradients
  /// flow on to what they were made from.
  ///
  /// - Parameters:
  ///   - network: What to run.
  ///   - tensors: Its tensors, in the order of the state dict, all on one device.
  ///   - generator: The source of dropout's randomness.
  package init(_ network: Network, tensors: [Tensor], generator: TorchGenerator) throws {
    specifications = network.parameters
    guard tensors.count == specifications.count,
      zip(tensors, specifications).allSatisfy({ $0.shape == $1.shape })
    else { throw ExecutionError.foreignTensors(network: network.name) }
    self.network = network
    self.generator = generator
    device = tensors.first?.device ?? .cpu
    dtype = tensors.first?.dtype ?? .float32
    plan = ExecutionPlan(network)
    state = tensors
    var byNode = [[Tensor]](repeating: [], count: network.nodes.count)
    for (specification, tensor) in zip(specifications, tensors) {
      byNode[specification.node].append(tensor)
    }
    stateByNode = byNode
    stateByName = Self.byName(specifications, state)
    try installFusedOperations()
  }

  /// The learnable tensors with their names, in the order of the state dict.
  public var parameters: [NamedTensor] { named { $0.isLearnable } }

  /// The running statistics with their names, in the order of the state dict.
  public var buffers: [NamedTensor] { named { !$0.isLearnable } }

  /// Parameters and running statistics, in the order of the state dict.
  public var namedState: [NamedTensor] { named { _ in true } }

  /// The tensor of that name in the state dict, if there is one.
  public func tensor(named name: String) -> Tensor? {
    stateByName[name]
  }

  /// The tensors of one node in the order of the state dict: weight and bias of each branch, or
  /// scale, shift, running mean, running variance and batch counter.
  public func tensors(ofNode index: Int) -> [Tensor] { stateByNode[index] }

  private static func byName(
    _ specifications: [ParameterSpecification], _ tensors: [Tensor]
  ) -> [String: Tensor] {
    Dictionary(zip(specifications.map(\.name), tensors), uniquingKeysWith: { first, _ in first })
  }

  private func named(_ isWanted: (ParameterSpecification) -> Bool) -> [NamedTensor] {
    zip(specifications, state).filter { isWanted($0.0) }
      .map { NamedTensor(name: $0.0.name, tensor: $0.1) }
  }

  /// Throws unless the tensor is a batch that the network can run on.
  func check(_ input: Tensor) throws {
    let shape = input.shape
    guard shape.count == 4, shape[1] == network.inputChannels else {
      throw ExecutionError.inputShape(
        network: network.name, channels: network.inputChannels, actual: shape)
    }
    guard input.dtype == dtype else {
      throw ExecutionError.inputType(network: network.name, expected: dtype, actual: input.dtype)
    }
    guard input.device == device else {
      throw ExecutionError.inputDevice(
        network: network.name, expected: device, actual: input.device)
    }
    let size = ImageSize(height: shape[2], width: shape[3])
    guard !checkedSizes.contains(size) else { return }
    _ = try network.shapes(inputSize: size)
    checkedSizes.insert(size)
  }
}

extension RandomStream.Purpose {
  /// Fresh weights.
  static let initialization = RandomStream.Purpose(rawValue: 100)
  /// Dropout and stochastic depth.
  static let dropout = RandomStream.Purpose(rawValue: 101)
}
