// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import MUXNetworks
internal import MUXWeights

/// Turns a network into steps for the kernels.
///
/// Channel slices, concatenations and shuffles become other lists of planes; batch norms are
/// folded into the weights before them; an expansion, the spatial convolution after it, the
/// squeeze-and-excitation gate, the projection and the residual sum become steps that hand each
/// other blocked tensors.
struct PlanCompiler {
  let network: Network
  let weights: LayerWeights
  let packed: PackedWeightSource
  let shapes: [Shape]
  /// The shapes for images of the network's own size, which decide how weights are packed: those of
  /// a packed file then serve images of every size.
  let ownShapes: [Shape]
  let inputSize: ImageSize
  let instructionSet: InstructionSet
  let lanes: Int
  let precision: Precision
  let calibration: Calibration?
  /// Whether the plan measures the ranges that a calibration holds.
  let isObserving: Bool
  var observations: [Observation] = []
  var storages: [Storage] = []
  var steps: [PendingStep] = []
  /// The projections that could write something else than planes, by the node whose value it is.
  var projections: [Int: Projection] = [:]
  /// The storages of those that write the cells of the next step, and how they are encoded.
  var packedProjections: [Int: Quantization] = [:]
  /// Those that write blocks, by the storage of their planes: where.
  var blockedProjections: [Int: Int] = [:]
  private(set) var input = PlaneTensor(planes: [], height: 0, width: 0)
  private var values: [PlaneTensor?]
  private var isDone: [Bool]
  let analysis: NetworkAnalysis
  private let liveness: ChannelLiveness

  init(
    network: Network, weights: LayerWeights, inputSize: ImageSize, instructionSet: InstructionSet,
    precision: Precision = .float32, calibration: Calibration? = nil, isObserving: Bool = false,
    packed: PackedWeightSource = PackedWeightSource()
  ) throws {
    self.precision = precision
    self.calibration = calibration
    self.isObserving = isObserving
    self.network = network
    self.weights = weights
    self.packed = packed
    self.inputSize = inputSize
    self.instructionSet = instructionSet
    analysis = try NetworkAnalysis(network, inputSize: inputSize)
    shapes = analysis.shapes
    ownShapes = inputSize == network.inputSize ? shapes : try network.shapes()
    try PlanLimits.check(network, shapes: shapes)
    lanes = instructionSet.lanes
    values = Array(repeating: nil, count: network.nodes.count)
    isDone = Array(repeating: false, count: network.nodes.count)
    liveness = ChannelLiveness(analysis)
  }

  /// Compiles all nodes; gives the planes of the network's outputs, which lie one after the other.
  mutating func compile() throws(RuntimeError) -> [PlaneTensor] {
    let pixels = inputSize.height * inputSize.width
    let storage = allocate(network.inputChannels * pixels)
    input = PlaneTensor(
      planes: (0..<network.inputChannels).map { Plane(storage: storage, offset: $0 * pixels) },
      height: inputSize.height, width: inputSize.width)
    for index in network.nodes.indices where !isDone[index] {
      try compileNode(index)
    }
    let values = network.outputIndices.map { value(at: $0) }
    let outputs = values.count == 1 ? [contiguous(values[0], name: "output")] : joined(values)
    for output in outputs {
      for plane in output.planes { storages[plane.storage].lastStep = .max }
    }
    return outputs
  }

  // MARK: Nodes

  private mutating func compileNode(_ index: Int) throws(RuntimeError) {
    let node = network.nodes[index]
    let shape = shapes[index]
    isDone[index] = true
    switch node.operation {
    case .convolution(let convolution):
      if try !fuseBlock(startingAt: index) { try compileConvolution(convolution, at: index) }
    case .branchedConvolution(let branched):
      if try !fuseBlock(startingAt: index) { try compileBranches(branched, at: index) }
    case .linear(let linear):
      var chain = absorb(index, channels: linear.outputFeatures)
      if linear.hasBias { chain.affine.after(bias: weights.bias(node.name)) }
      values[chain.end] = addLinear(
        name: network.nodes[chain.end].name, inputs: value(of: index, 0).planes, sums: nil,
        weight: weights.weight(node.name),
        columns: Array(0..<linear.inputFeatures), rows: Array(0..<linear.outputFeatures),
        affine: chain.affine, activation: chain.activation)
    case .batchNormalization(let norm):
      let following = analysis.activation(after: index)
      if let following { isDone[following.node] = true }
      let affine = weights.folded(norm, name: node.name)
      values[following?.node ?? index] = addElementwise(
        name: node.name, MUX_ELEMENTWISE_UNARY, value(of: index, 0), nil, affine: affine,
        activation: following?.function ?? .identity)
    case .l2Normalization(let norm):
      values[index] = addL2Normalization(name: node.name, value(of: index, 0), norm)
    case .activation(let activation):
      values[index] = addElementwise(
        name: node.name, MUX_ELEMENTWISE_UNARY, value(of: index, 0), nil, affine: nil,
        activation: activation)
    case .add:
      values[index] = addElementwise(
        name: node.name, MUX_ELEMENTWISE_ADD, value(of: index, 0), value(of: index, 1),
        affine: nil, activation: .identity)
    case .multiply:
      let left = value(of: index, 0), right = value(of: index, 1)
      let isGate = right.pixels == 1 && left.pixels > 1
      values[index] = addElementwise(
        name: node.name, isGate ? MUX_ELEMENTWISE_GATE : MUX_ELEMENTWISE_MULTIPLY, left, right,
        affine: nil, activation: .identity)
    case .concatenate, .slice, .channelShuffle, .dropout, .dropPath:
      values[index] = renamed(index)
    case .flatten:
      let value = value(of: index, 0)
      values[index] = value.pixels == 1 ? value : flattened(value, name: node.name)
    case .globalAveragePool:
      values[index] = addPool(name: node.name, value(of: index, 0), nil, shape)
    case .pool(let pooling):
      values[index] = addPool(name: node.name, value(of: index, 0), pooling, shape)
    case .adaptiveAveragePool:
      let value = value(of: index, 0)
      values[index] =
        value.height == shape.height && value.width == shape.width
        ? value : addAdaptivePool(name: node.name, value, shape)
    case .pad(let padding):
      values[index] = addPad(name: node.name, value(of: index, 0), padding, shape)
    }
  }

  /// The value of a node that only chooses among planes.
  private func renamed(_ index: Int) -> PlaneTensor {
    var value = value(of: index, 0)
    if let selection = operation(index).selection {
      value.planes = selection(
        network.inputIndices[index].indices.map { self.value(of: index, $0).planes })
    }
    return value
  }

  // MARK: What nodes know of each other

  func operation(_ index: Int) -> Operation { analysis.operation(index) }

  func value(of node: Int, _ position: Int) -> PlaneTensor {
    value(at: network.inputIndices[node][position])
  }

  func value(at index: Int) -> PlaneTensor {
    index < 0 ? input : values[index] ?? PlaneTensor(planes: [], height: 0, width: 0)
  }

  mutating func setValue(_ value: PlaneTensor, at index: Int) { values[index] = value }

  mutating func markDone(_ nodes: [Int]) {
    for node in nodes { isDone[node] = true }
  }

  /// The pixels that a node's input has in images of the network's own size.
  func ownInputPixels(of node: Int) -> (height: Int, width: Int) {
    let input = network.inputIndices[node][0]
    return input < 0
      ? (network.inputSize.height, network.inputSize.width)
      : (ownShapes[input].height, ownShapes[input].width)
  }

  func hasValue(_ index: Int) -> Bool { index < 0 || values[index] != nil }

  /// What follows a convolution and can be done with it.
  struct Chain {
    var affine: Affine<Float>
    var activation = Activation.identity
    var end: Int
  }

  /// Takes in the batch norm and the activation after a convolution.
  mutating func absorb(_ start: Int, channels: Int) -> Chain {
    let found = analysis.chain(after: start)
    var chain = Chain(
      affine: Affine(channels: channels), activation: found.activation, end: found.end)
    for node in found.norms {
      guard case .batchNormalization(let norm) = operation(node) else { continue }
      chain.affine.then(weights.folded(norm, name: network.nodes[node].name))
    }
    markDone([start] + found.nodes)
    return chain
  }

  /// What is added after a convolution.
  struct Residual {
    var planes: [Plane]
    var activation: Activation
    var isOverwritten: Bool
    var end: Int
    /// What is added, if that is a blocked tensor and not planes.
    var blocked: KeptExpansion?
  }

  /// Takes in the sum after the node `end` of a chain from `start`, and the activation after it.
  mutating func absorbResidual(_ start: Int, _ end: Int) -> Residual? {
    guard let sum = analysis.soleReader(of: end), operation(sum) == .add else { return nil }
    let inputs = network.inputIndices[sum]
    let other = inputs[0] == end ? inputs[1] : inputs[0]
    guard other != end, hasValue(other) else { return nil }
    isDone[sum] = true
    var residual = Residual(
      planes: value(at: other).planes, activation: .identity, isOverwritten: false, end: sum)
    if let next = analysis.activation(after: sum) {
      residual.activation = next.function
      residual.end = next.node
      isDone[next.node] = true
    }
    // Nothing that runs later, or that is skipped over by fusing, may still want the planes.
    let isIsolated = (start...residual.end).allSatisfy {
      isDone[$0] || operation($0).selection != nil
    }
    residual.isOverwritten = isIsolated && liveness.isLastUse(of: other, by: sum)
    return residual
  }

  // MARK: Memory

  /// A new storage of `size` floats, first touched by the step that is added next.
  mutating func allocate(_ size: Int) -> Int {
    storages.append(Storage(size: size, firstStep: steps.count, lastStep: steps.count))
    return storages.count - 1
  }

  /// New planes; those of single values lie together, others start at cache lines.
  mutating func allocatePlanes(_ count: Int, height: Int, width: Int) -> PlaneTensor {
    let stride = height * width == 1 ? 1 : MemoryPlan.aligned(height * width)
    let storage = allocate((count - 1) * stride + height * width)
    return PlaneTensor(
      planes: (0..<count).map { Plane(storage: storage, offset: $0 * stride) }, height: height,
      width: width)
  }

  /// Adds a step that touches the storages.
  mutating func addStep(
    _ name: String, _ kind: String, multiplyAdds: Int = 0, touching touched: [Int],
    _ emit: @escaping (PlanEmitter) -> mux_step
  ) {
    for storage in Set(touched) {
      storages[storage].firstStep = min(storages[storage].firstStep, steps.count)
      storages[storage].lastStep = max(storages[storage].lastStep, steps.count)
    }
    steps.append(PendingStep(name: name, kind: kind, multiplyAdds: multiplyAdds, emit: emit))
  }
}

/// A step whose memory has no place yet.
struct PendingStep {
  var name: String
  var kind: String
  var multiplyAdds: Int
  var emit: (PlanEmitter) -> mux_step
}

/// Gives addresses to what the steps refer to.
struct PlanEmitter {
  let memory: PlanMemory
  let offsets: [Int]
  /// How the projections' results are encoded that are written as cells, by their storage.
  let packedProjections: [Int: Quantization]
  /// Where the projections' results are that are written as blocks, by the storage of their planes.
  let blockedProjections: [Int: Int]

  func offset(_ storage: Int) -> Int { offsets[storage] }

  func offset(_ plane: Plane) -> Int32 { Int32(offsets[plane.storage] + plane.offset) }

  func offsets(_ planes: [Plane]) -> UnsafePointer<Int32> { memory.copy(planes.map(offset)) }

  /// The windows of a convolution over planes, all of which may be gathered.
  func window(
    _ convolution: Convolution, _ input: PlaneTensor, height: Int, width: Int
  ) -> mux_window {
    mux_window(
      kernel: Int32(convolution.kernelSize), stride: Int32(convolution.stride),
      top: Int32(convolution.zeros(around: input.height).before),
      left: Int32(convolution.zeros(around: input.width).before),
      dilation: Int32(convolution.dilation),
      in_height: input.height, in_width: input.width, out_height: height, out_width: width,
      inputs: offsets(input.planes), input_count: input.planes.count, taps: nil)
  }

  /// Where the taps of a window over the first pixels lie, for windows that are read from the planes.
  /// (A tap that no window inside the image has may be beyond every number.)
  func planeTaps(_ convolution: Convolution, _ input: PlaneTensor) -> UnsafePointer<Int32> {
    let kernel = convolution.kernelSize
    return memory.copy(
      input.planes.flatMap { plane in
        (0..<kernel * kernel).map { tap in
          Int32(
            clamping: Int(offset(plane))
              + (tap / kernel * input.width + tap % kernel) * convolution.dilation)
        }
      })
  }

  /// Where in the gathered rows each tap of the first window lies.
  func tapOffsets(_ window: mux_window) -> UnsafePointer<Int32> {
    let kernel = Int(window.kernel), dilation = Int(window.dilation)
    let length = (window.out_width - 1) * Int(window.stride) + (kernel - 1) * dilation + 1
    return memory.copy(
      (0..<window.input_count * kernel).flatMap { row in
        (0..<kernel).map { Int32(row * length + $0 * dilation) }
      })
  }

  func step(_ kind: mux_step_kind, _ argument: some BitwiseCopyable) -> mux_step {
    mux_step(kind: kind, argument: memory.copy(argument))
  }
}
