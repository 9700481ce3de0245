// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import MUXNetworks
internal import MUXWeights

extension PlanCompiler {
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
    let excitation = analysis.excitation(of: chain.end)
    let projection = analysis.projection(after: excitation?.multiply ?? chain.end)
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
      convolution.isDensePointwise || convolution.inputChannels <= 4
    else { return nil }
    let end = analysis.chain(after: start).end
    guard let next = analysis.soleReader(of: end) else {
      return keptPattern(convolution, expandedAt: end)
    }
    return spatialKind(next) ? (next, nil) : nil
  }

  /// The plain depthwise convolution that reads the expansion, and the sum to which the expansion is
  /// added again after the projection; nil if something else reads it, too.
  private func keptPattern(
    _ expansion: Convolution, expandedAt last: Int
  ) -> (spatial: Int, sum: Int?)? {
    let readers = analysis.readers(of: last)
    guard readers.count == 2, last != network.nodes.count - 1,
      let spatial = readers.first(where: { spatialKind($0) }),
      case .convolution(let depthwise) = operation(spatial),
      depthwise.groups == expansion.outputChannels,
      depthwise.outputChannels == depthwise.groups,
      let sum = readers.first(where: { $0 != spatial }), operation(sum) == .add,
      shapes[spatial].height == shapes[last].height, shapes[spatial].width == shapes[last].width,
      depthwise.stride == 1
    else { return nil }
    let end = analysis.chain(after: spatial).end
    guard let projection = analysis.projection(after: analysis.excitation(of: end)?.multiply ?? end)
    else { return nil }
    let projected = analysis.chain(after: projection)
    guard projected.activation == .identity, analysis.soleReader(of: projected.end) == sum,
      analysis.activation(after: sum) == nil
    else { return nil }
    return (spatial, sum)
  }

  private func spatialKind(_ index: Int) -> Bool {
    if case .convolution(let convolution) = operation(index) { return Self.isSpatial(convolution) }
    if case .branchedConvolution = operation(index) { return spatialBranches(index) != nil }
    return false
  }

  /// Adds the two small layers; gives the storage of the gate, in the order of `rows`.
  private mutating func addExcitation(
    _ excitation: NetworkAnalysis.Excitation, _ blocked: BlockedTensor, rows: [Int]
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
      affine: affine(excitation.reduce), activation: excitation.activation)
    let expanded = addLinear(
      name: expandName, inputs: reduced.planes, sums: nil, weight: weights.weight(expandName),
      columns: Array(reduced.planes.indices), rows: rows, affine: affine(excitation.expand),
      activation: excitation.gate)
    return expanded.planes[0].storage
  }
}
