// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks

/// The second pass: steps of what was matched, in single precision, with planes between them. The result
/// can be placed and run as it is; what comes after makes it faster.
///
/// Channel slices, concatenations and shuffles become other lists of planes.
struct Lowering {
  let network: Network
  let analysis: NetworkAnalysis
  /// The shapes for images of the network's own size, which decide how weights are packed: those of
  /// a packed file then serve images of every size.
  let ownShapes: [Shape]
  var program: Program
  private var values: [Planes?]

  static func lower(
    _ matches: [Match], _ analysis: NetworkAnalysis, ownShapes: [Shape], for target: PlanTarget
  ) -> Program {
    var lowering = Lowering(analysis, ownShapes: ownShapes, target: target)
    for match in matches { lowering.lower(match) }
    lowering.addOutputs()
    return lowering.program
  }

  private init(_ analysis: NetworkAnalysis, ownShapes: [Shape], target: PlanTarget) {
    self.analysis = analysis
    self.ownShapes = ownShapes
    network = analysis.network
    values = Array(repeating: nil, count: network.nodes.count)
    program = Program(name: network.name, target: target)
    let input = analysis.input
    _ = program.add(
      PlanValue(channels: input.channels, height: input.height, width: input.width, format: .flat))
  }

  private mutating func lower(_ match: Match) {
    let node = match.node
    switch match.pattern {
    case .block(let block): values[match.end] = lower(block)
    case .convolution(let sum, let isPooled):
      values[match.end] = lowerConvolution(match, sum, isPooled: isPooled)
    case .branches: values[match.end] = lowerBranches(node)
    case .linear: values[match.end] = lowerLinear(match)
    case .norm(let activation):
      guard case .batchNormalization(let norm) = analysis.operation(node) else { return }
      values[match.end] = addElementwise(
        name(node), .unary, input(node), norm: .init(name: name(node), norm: norm),
        activation: activation)
    case .single: values[match.end] = lowerSingle(node)
    case .selection:
      var planes = input(node)
      if let selection = analysis.operation(node).selection {
        planes.channels = selection(
          network.inputIndices[node].indices.map { input(node, $0).channels })
      }
      values[match.end] = planes
    }
  }

  /// An operation on its own.
  private mutating func lowerSingle(_ node: Int) -> Planes {
    let input = input(node), name = name(node), shape = analysis.shape(node)
    switch analysis.operation(node) {
    case .l2Normalization(let norm):
      return add(name, input.count, input.height, input.width) {
        .l2Normalization(L2NormalizationStep(norm: norm, input: input, output: $0))
      }
    case .activation(let activation):
      return addElementwise(name, .unary, input, activation: activation)
    case .add: return addElementwise(name, .add, input, self.input(node, 1))
    case .multiply:
      let other = self.input(node, 1)
      let isGate = other.pixels == 1 && input.pixels > 1
      return addElementwise(name, isGate ? .gate : .multiply, input, other)
    case .flatten: return input.pixels == 1 ? input : flattened(input, name: name)
    case .globalAveragePool: return addPlaneStep(name, .pool(nil), input, shape)
    case .pool(let pooling): return addPlaneStep(name, .pool(pooling), input, shape)
    case .adaptiveAveragePool:
      let isSame = input.height == shape.height && input.width == shape.width
      return isSame ? input : addPlaneStep(name, .adaptivePool, input, shape)
    case .pad(let padding):
      return addPlaneStep(name, .pad(top: padding.top, left: padding.left), input, shape)
    case .convolution, .branchedConvolution, .linear, .batchNormalization, .concatenate, .slice,
      .channelShuffle, .dropout, .dropPath:
      // These have patterns of their own.
      return input
    }
  }

  private mutating func lowerLinear(_ match: Match) -> Planes {
    guard case .linear(let linear) = analysis.operation(match.node) else {
      return input(match.node)
    }
    return addLinear(
      name(match.end), .planes(input(match.node)), tensors(match.node, match.chain),
      outputs: linear.outputFeatures, activation: match.chain?.activation ?? .identity)
  }

  // MARK: What nodes have

  func name(_ node: Int) -> String { network.nodes[node].name }

  func input(_ node: Int, _ position: Int = 0) -> Planes {
    value(network.inputIndices[node][position])
  }

  func value(_ node: Int) -> Planes {
    node < 0
      ? program.planes(Program.input)
      : values[node] ?? Planes(channels: [], height: 0, width: 0)
  }

  /// The tensors of a layer with the batch norms after it.
  func tensors(_ node: Int, _ chain: NetworkAnalysis.Chain?) -> LayerTensors {
    var tensors = LayerTensors(layers: [name(node)], norms: norms(chain))
    switch analysis.operation(node) {
    case .convolution(let convolution): tensors.hasBias = convolution.hasBias
    case .linear(let linear): tensors.hasBias = linear.hasBias
    case .branchedConvolution, .batchNormalization, .l2Normalization, .activation, .add, .multiply,
      .concatenate, .slice, .channelShuffle, .pool, .globalAveragePool, .adaptiveAveragePool, .pad,
      .flatten, .dropout, .dropPath:
      break
    }
    return tensors
  }

  func norms(_ chain: NetworkAnalysis.Chain?) -> [LayerTensors.Norm] {
    (chain?.norms ?? []).compactMap { node in
      guard case .batchNormalization(let norm) = analysis.operation(node) else { return nil }
      return LayerTensors.Norm(name: name(node), norm: norm)
    }
  }
}
