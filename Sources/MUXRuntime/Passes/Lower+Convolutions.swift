// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks

extension Lowering {
  /// A block: a spatial step, two small layers, and a projection that reads lanes.
  mutating func lower(_ block: Match.Block) -> Planes {
    let node = block.spatial.node, start = block.expansion?.node ?? node
    var expansion: Expansion?
    if let layer = block.expansion,
      case .convolution(let convolution) = analysis.operation(layer.node)
    {
      expansion = Expansion(
        convolution: convolution, tensors: tensors(layer.node, layer.chain),
        activation: layer.chain.activation)
    }
    let shape = analysis.shape(node)
    let spatial = addSpatial(
      name(node), input(start), expansion, branches(node), norms(block.spatial.chain),
      block.spatial.chain.activation, shape, hasSums: block.excitation != nil,
      keepsExpansion: block.keptSum != nil)
    guard let projection = block.projection,
      case .convolution(let convolution) = analysis.operation(projection.node)
    else { return unblocked(spatial.output, name: name(node)) }
    var step = DenseStep(
      source: .value(spatial.output), tensors: tensors(projection.node, projection.chain),
      rowLength: convolution.inputChannels, rowCount: convolution.outputChannels,
      rows: 0..<convolution.outputChannels,
      activation: projection.chain.activation,
      size: ImageSize(height: shape.height, width: shape.width), output: Program.input)
    if let excitation = block.excitation, let sums = spatial.sums {
      step.gate = addExcitation(excitation, spatial.output, sums)
    }
    if let kept = spatial.kept {
      step.sum = DenseStep.Sum(addend: .value(kept), activation: .identity)
    }
    return addDense(name(projection.node), step, block.sum)
  }

  /// Compiles a convolution on its own, with what can be done at its end.
  mutating func lowerConvolution(_ match: Match, _ sum: Match.Sum?, isPooled: Bool) -> Planes {
    let node = match.node
    guard case .convolution(let convolution) = analysis.operation(node) else { return input(node) }
    var layer = PlainConvolution(
      name: name(node), convolution: convolution, tensors: tensors(node, match.chain),
      activation: match.chain?.activation ?? .identity, sum: sum, isPooled: isPooled)
    layer.isLinear = sum == nil && convolution.isFullyConnected(on: ownInput(of: node))
    return addConvolution(layer, input(node), analysis.shape(node))
  }

  /// Parallel convolutions that are no part of a block: multiplexed ones with moves before and after.
  mutating func lowerBranches(_ node: Int) -> Planes {
    let input = input(node), shape = analysis.shape(node), own = ownInput(of: node)
    var result = Planes(channels: [], height: shape.height, width: shape.width)
    guard case .branchedConvolution(let branched) = analysis.operation(node) else { return result }
    var first = 0
    for branch in branched.branches {
      var slice = input
      slice.channels = Array(input.channels[first..<first + branch.inputChannels])
      first += branch.inputChannels
      result.channels += lower(branch, slice, of: node, shape, own: own).channels
    }
    return result
  }

  private mutating func lower(
    _ branch: BranchedConvolution.Branch, _ slice: Planes, of node: Int, _ shape: Shape,
    own: Shape
  ) -> Planes {
    let convolution = branch.convolution, r = branch.factor
    let name = "\(name(node)).\(branch.name)"
    var layer = PlainConvolution(
      name: name, convolution: convolution,
      tensors: LayerTensors(layers: [name], hasBias: convolution.hasBias))
    func onGrid(_ height: Int, _ width: Int) -> Shape {
      Shape(channels: convolution.outputChannels, height: height, width: width)
    }
    switch branch.multiplexing {
    case .none:
      layer.isLinear = convolution.isFullyConnected(on: own)
      return addConvolution(layer, slice, onGrid(shape.height, shape.width))
    case .subpixel:
      layer.isLinear = convolution.isFullyConnected(
        on: Shape(
          channels: own.channels, height: (own.height + r - 1) / r, width: (own.width + r - 1) / r))
      let coarse = addMultiplex(
        name, slice, toChannels: true, factor: r, height: slice.height, width: slice.width)
      let moved = addConvolution(layer, coarse, onGrid(coarse.height, coarse.width))
      return addMultiplex(
        name, moved, toChannels: false, factor: r, height: slice.height, width: slice.width)
    case .superpixel:
      let fine = addMultiplex(
        name, slice, toChannels: false, factor: r, height: slice.height * r,
        width: slice.width * r)
      let moved = addConvolution(layer, fine, onGrid(fine.height, fine.width))
      return addMultiplex(
        name, moved, toChannels: true, factor: r, height: fine.height, width: fine.width)
    }
  }

  /// The shape that a node's input has in images of the network's own size.
  private func ownInput(of node: Int) -> Shape {
    let input = network.inputIndices[node][0]
    return input < 0
      ? Shape(
        channels: network.inputChannels, height: network.inputSize.height,
        width: network.inputSize.width) : ownShapes[input]
  }

  /// The branches of a convolution node as the spatial kernel takes them.
  private func branches(_ node: Int) -> [SpatialBranch] {
    let input = analysis.shape(network.inputIndices[node][0])
    switch analysis.operation(node) {
    case .convolution(let convolution):
      return [
        SpatialBranch(
          convolution, input: ImageSize(height: input.height, width: input.width),
          tensors: LayerTensors(layers: [name(node)], hasBias: convolution.hasBias))
      ]
    case .branchedConvolution(let branched):
      return SpatialBranch.branches(branched, of: name(node), input: input)
    case .linear, .batchNormalization, .l2Normalization, .activation, .add, .multiply,
      .concatenate, .slice, .channelShuffle, .pool, .globalAveragePool, .adaptiveAveragePool, .pad,
      .flatten, .dropout, .dropPath:
      return []
    }
  }
}

extension Convolution {
  /// Whether a convolution of an image of that size is a fully connected layer on its one pixel.
  fileprivate func isFullyConnected(on input: Shape) -> Bool {
    isPointwise && padding == 0 && input.height == 1 && input.width == 1
  }
}
