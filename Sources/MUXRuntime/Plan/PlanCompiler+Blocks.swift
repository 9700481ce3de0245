// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import MUXNetworks
internal import MUXWeights

extension PlanCompiler {
  /// Squeeze-and-excitation after a spatial convolution, by its nodes.
  private struct Excitation {
    var reduce: Int
    var reduceActivation: Activation
    var expand: Int
    var gate: Activation
    var multiply: Int
    var nodes: [Int]
  }

  /// Compiles [1×1 expansion, norm, activation,] spatial convolution, norm, activation,
  /// [squeeze-and-excitation,] 1×1 projection, norm [, residual sum] from `start` on; false (and
  /// nothing done) if the network has something else there.
  mutating func fuseBlock(startingAt start: Int) throws(RuntimeError) -> Bool {
    guard let pattern = spatialPattern(start) else { return false }
    let spatial = pattern.spatial
    guard let branches = spatialBranches(spatial) else { return false }
    let input = value(of: start, 0)
    var producer = SpatialProducer.copy(input)
    if spatial != start {
      guard case .convolution(let convolution) = operation(start) else { return false }
      let name = network.nodes[start].name
      var chain = absorb(start, channels: convolution.outputChannels)
      if convolution.hasBias { chain.affine.after(bias: weights.bias(name)) }
      producer = .expansion(
        input, convolution, weight: weights.weight(name), affine: chain.affine,
        activation: chain.activation)
    }
    let chain = absorb(spatial, channels: shapes[spatial].channels)
    let excitation = excitation(after: chain.end)
    let projection = projection(after: excitation?.multiply ?? chain.end)
    let shape = shapes[spatial]
    let name = network.nodes[spatial].name
    let isExcited = excitation != nil && projection != nil
    let blocked = try addSpatial(
      name: name, producer: producer, branches: branches, affine: chain.affine,
      activation: chain.activation, height: shape.height, width: shape.width,
      wantsSums: isExcited, isProjected: projection != nil,
      keepsExpansion: pattern.sum != nil, inputNode: network.inputIndices[start][0])
    guard let projection, case .convolution(let convolution) = operation(projection) else {
      setValue(unblocked(blocked, name: name), at: chain.end)
      return true
    }
    // The projection reads the lanes in their order, without those that hold no channel.
    // With cells a whole cell is read if one of its lanes holds a channel.
    let values = blocked.quantization == nil ? 1 : precision.valuesPerCell
    let positions = blocked.channels.indices.filter { position in
      let first = position / values * values
      return blocked.channels[first..<first + values].contains { $0 >= 0 }
    }
    let columns = positions.map { blocked.channels[$0] }
    var gate: Int?
    if let excitation {
      // A lane without a channel gets some channel's gate (its weights are zeros), so that it cannot be
      // the greatest one.
      let any = columns.first { $0 >= 0 } ?? 0
      gate = addExcitation(excitation, blocked, rows: columns.map { $0 < 0 ? any : $0 })
      markDone(excitation.nodes)
    }
    let projectionName = network.nodes[projection].name
    var end = absorb(projection, channels: convolution.outputChannels)
    if convolution.hasBias { end.affine.after(bias: weights.bias(projectionName)) }
    var residual: Residual?
    if let sum = pattern.sum {
      markDone([sum])
      residual = Residual(
        planes: [], activation: .identity, isOverwritten: false, end: sum,
        blocked: blocked.expansion)
    } else {
      residual = absorbResidual(start, end.end)
    }
    let result = try addDense(
      .blocked(
        storage: blocked.storage, positions: positions, quantization: blocked.quantization),
      DenseLayer(
        name: projectionName, weight: weights.weight(projectionName),
        rowLength: convolution.inputChannels, columns: columns,
        rows: Array(0..<convolution.outputChannels), affine: end.affine,
        activation: end.activation, gate: gate, residual: residual),
      height: shape.height, width: shape.width)
    setValue(result, at: residual?.end ?? end.end)
    if residual == nil || residual?.blocked != nil {
      projections[residual?.end ?? end.end] = Projection(
        storage: result.planes[0].storage, hasCells: blocked.quantization != nil,
        residual: residual?.blocked?.storage)
    }
    return true
  }

  /// The spatial convolution that `start` is, or that follows the expansion that it is. A stem
  /// counts as one; windows over many channels are better gathered once, by a step of their own.
  ///
  /// `sum` is the node that adds what the expansion made to the block's result, if the expansion is
  /// to be kept for it: as in MUXNet's stem and first block.
  private func spatialPattern(_ start: Int) -> (spatial: Int, sum: Int?)? {
    if spatialKind(start) { return (start, nil) }
    guard case .convolution(let convolution) = operation(start), convolution.groups == 1,
      Self.isPlainPointwise(convolution) || convolution.inputChannels <= 4
    else { return nil }
    var last = start
    while let next = soleConsumer(last) {
      switch operation(next) {
      case .batchNormalization, .activation, .dropout, .dropPath: last = next
      default: return spatialKind(next) && isChain(from: start, to: last) ? (next, nil) : nil
      }
    }
    guard isChain(from: start, to: last) else { return nil }
    return keptPattern(convolution, expandedAt: last)
  }

  /// The plain depthwise convolution that reads the expansion, and the sum to which the expansion is
  /// added again after the projection; nil if something else reads it, too.
  private func keptPattern(
    _ expansion: Convolution, expandedAt last: Int
  ) -> (spatial: Int, sum: Int?)? {
    let readers = consumers(of: last)
    guard readers.count == 2, last != network.nodes.count - 1,
      let spatial = readers.first(where: { spatialKind($0) }),
      case .convolution(let depthwise) = operation(spatial),
      depthwise.groups == expansion.outputChannels,
      depthwise.outputChannels == depthwise.groups,
      let sum = readers.first(where: { $0 != spatial }), case .add = operation(sum),
      shapes[spatial].height == shapes[last].height, shapes[spatial].width == shapes[last].width,
      depthwise.stride == 1
    else { return nil }
    let end = chainEnd(spatial)
    guard let projection = projection(after: excitation(after: end.node)?.multiply ?? end.node)
    else { return nil }
    let projected = chainEnd(projection)
    guard !projected.isActivated, soleConsumer(projected.node) == sum else { return nil }
    if let next = soleConsumer(sum), case .activation = operation(next) { return nil }
    return (spatial, sum)
  }

  /// How far ``absorb(_:channels:)`` would go from `start`, and whether there is an activation.
  private func chainEnd(_ start: Int) -> (node: Int, isActivated: Bool) {
    var end = (node: start, isActivated: false)
    while let next = soleConsumer(end.node) {
      switch operation(next) {
      case .batchNormalization where !end.isActivated: break
      case .activation(let activation) where !end.isActivated:
        end.isActivated = activation != .identity
      case .dropout, .dropPath: break
      default: return end
      }
      end.node = next
    }
    return end
  }

  private func spatialKind(_ index: Int) -> Bool {
    switch operation(index) {
    case .convolution(let convolution): Self.isSpatial(convolution)
    case .branchedConvolution: spatialBranches(index) != nil
    default: false
    }
  }

  static func isPlainPointwise(_ convolution: Convolution) -> Bool {
    convolution.isPointwise && convolution.stride == 1 && convolution.padding == 0
  }

  /// Whether ``absorb(_:channels:)`` takes in all from `start` to `last`: norms, then at most one
  /// activation.
  private func isChain(from start: Int, to last: Int) -> Bool {
    var current = start
    var isActivated = false
    while current != last, let next = soleConsumer(current) {
      switch operation(next) {
      case .batchNormalization where isActivated: return false
      case .activation(let activation):
        if isActivated { return false }
        isActivated = activation != .identity
      default: break
      }
      current = next
    }
    return true
  }

  /// Finds mean → 1×1 → activation → 1×1 → gate → product after `index`.
  private func excitation(after index: Int) -> Excitation? {
    let readers = consumers(of: index)
    guard readers.count == 2, !network.isOutput(index) else { return nil }
    guard
      let pool = readers.first(where: {
        if case .globalAveragePool = operation($0) { true } else { false }
      }),
      let reduce = soleConsumer(pool), case .convolution(let first) = operation(reduce),
      first.groups == 1, first.kernelSize == 1, first.stride == 1, first.padding == 0,
      var last = soleConsumer(reduce)
    else { return nil }
    var nodes = [pool, reduce]
    var reduceActivation = Activation.identity
    if case .activation(let activation) = operation(last) {
      reduceActivation = activation
      nodes.append(last)
      guard let next = soleConsumer(last) else { return nil }
      last = next
    }
    guard case .convolution(let second) = operation(last), second.groups == 1,
      second.kernelSize == 1, second.stride == 1, second.padding == 0
    else { return nil }
    let expand = last
    nodes.append(expand)
    guard var next = soleConsumer(expand) else { return nil }
    var gate = Activation.identity
    if case .activation(let activation) = operation(next) {
      gate = activation
      nodes.append(next)
      guard let following = soleConsumer(next) else { return nil }
      next = following
    }
    guard case .multiply = operation(next), readers.contains(next),
      network.inputIndices[next][0] == index
    else { return nil }
    nodes.append(next)
    return Excitation(
      reduce: reduce, reduceActivation: reduceActivation, expand: expand, gate: gate,
      multiply: next, nodes: nodes)
  }

  /// The pointwise convolution that alone reads `index`.
  private func projection(after index: Int) -> Int? {
    guard let next = soleConsumer(index), case .convolution(let convolution) = operation(next),
      Self.isPlainPointwise(convolution)
    else { return nil }
    return next
  }

  /// Adds the two small layers; gives the storage of the gate, in the order of `rows`.
  private mutating func addExcitation(
    _ excitation: Excitation, _ blocked: BlockedTensor, rows: [Int]
  ) -> Int {
    func affine(_ index: Int) -> Affine<Float> {
      var affine = Affine<Float>(channels: shapes[index].channels)
      if case .convolution(let convolution) = operation(index), convolution.hasBias {
        affine.after(bias: weights.bias(network.nodes[index].name))
      }
      return affine
    }
    let reduceName = network.nodes[excitation.reduce].name
    let expandName = network.nodes[excitation.expand].name
    let reduced = addLinear(
      name: reduceName, inputs: [], sums: blocked.sums, weight: weights.weight(reduceName),
      columns: blocked.channels, rows: Array(0..<shapes[excitation.reduce].channels),
      affine: affine(excitation.reduce), activation: excitation.reduceActivation)
    let expanded = addLinear(
      name: expandName, inputs: reduced.planes, sums: nil, weight: weights.weight(expandName),
      columns: Array(reduced.planes.indices), rows: rows, affine: affine(excitation.expand),
      activation: excitation.gate)
    return expanded.planes[0].storage
  }
}
