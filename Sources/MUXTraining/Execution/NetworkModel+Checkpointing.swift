// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
public import MUXTensor

/// A part of a forward pass of which only what goes in and what comes out was kept.
struct CheckpointedRegion {
  let nodes: Range<Int>
  /// What it read from outside: the positions of the values, and the values.
  let inputs: [(position: Int, value: Tensor)]
  /// What others read of it; gradients gather there.
  let outputs: [(node: Int, value: Tensor)]
  /// The state of the source of dropout's numbers before it ran; nil where it draws none.
  let generator: [UInt8]?
  /// What was asked for inside of it.
  let captured: Set<Int>
}

/// Activation checkpointing (Chen et al. 2016), block by block.
///
/// The forward pass records nothing but for the last region; the values that others read of a region are
/// leaves of their own. When the loss has sent its gradients back to them, regions run once more from the
/// last to the first, now recorded, and send theirs on.
extension NetworkModel {
  /// Ends of the regions: outermost blocks, but where something would be cut in two. The last region,
  /// which is recorded at once, is what comes behind all blocks.
  private var regionEnds: [Int] {
    // The largest block around each cut. All blocks together have no more nodes than a few networks.
    var around = [Int](repeating: 0, count: network.nodes.count + 1)
    for block in network.blocks {
      for cut in block.nodes.dropFirst() { around[cut] = max(around[cut], block.nodes.count) }
    }
    var ends: [Int] = []
    for block in network.blocks.sorted(by: { $0.nodes.upperBound < $1.nodes.upperBound }) {
      let end = block.nodes.upperBound
      let isInside = around[end] > block.nodes.count
      let cuts = segmentStarts[end].map { $0 < end } ?? false
      if !isInside, !cuts, !plan.steps[end - 1].isAbsorbed, ends.last != end { ends.append(end) }
    }
    return ends
  }

  /// Runs all nodes, region by region.
  func advanceInRegions(
    _ values: inout [Tensor?], _ capturing: Set<Int>, _ captured: inout [Int: Tensor]
  ) throws {
    var start = 0
    for end in regionEnds {
      try advance(region: start..<end, &values, capturing, &captured)
      start = end
    }
    try advance(start..<plan.steps.count, &values, capturing, &captured)
  }

  private func advance(
    region nodes: Range<Int>, _ values: inout [Tensor?], _ capturing: Set<Int>,
    _ captured: inout [Int: Tensor]
  ) throws {
    let read = Set(nodes.flatMap { plan.steps[$0].inputs }.filter { $0 < nodes.lowerBound })
    let inputs = read.sorted().compactMap { node in
      values[node + 1].map { (position: node + 1, value: $0) }
    }
    let needsGradient =
      inputs.contains { $0.value.requiresGrad }
      || nodes.contains { stateByNode[$0].contains(where: \.requiresGrad) }
    guard needsGradient else { return try advance(nodes, &values, capturing, &captured) }
    let generator = nodes.contains(where: drawsNumbers) ? try self.generator.state() : nil
    var own: [Int: Tensor] = [:]
    try withoutGradient { try advance(nodes, &values, capturing, &own) }
    // Fused operations keep their memory by size: that of all regions would come to what is to be saved.
    TorchRuntime.releaseFusedMemory()
    var outputs: [(node: Int, value: Tensor)] = []
    for node in nodes {
      guard let value = values[node + 1] ?? own[node] else { continue }
      // A handle of its own: the value may be that of another region under another name.
      let leaf = try value.detach().setRequiresGrad()
      if values[node + 1] != nil { values[node + 1] = leaf }
      if own[node] != nil { captured[node] = leaf }
      outputs.append((node, leaf))
    }
    regions.append(
      CheckpointedRegion(
        nodes: nodes, inputs: inputs, outputs: outputs, generator: generator,
        captured: Set(own.keys)))
  }

  /// Sends on the gradients of the outputs through what was not recorded. Without activation
  /// checkpointing there is nothing to do.
  ///
  /// - Parameter autocast: The short type in which the forward pass ran, if any.
  public func finishBackward(autocast: DType? = nil) throws {
    guard !regions.isEmpty else { return }
    let passed = regions
    regions = []
    for region in passed.reversed() {
      let gradients = try region.outputs.map { try $0.value.grad() }
      guard gradients.contains(where: { $0 != nil }) else { continue }
      // Running statistics have taken in the batch already: they stay as they are.
      let statistics = try region.nodes.filter { network.nodes[$0].isBatchNorm }
        .flatMap { stateByNode[$0].dropFirst(2) }.map { (tensor: $0, before: try $0.clone()) }
      var values = try withAutocast(device, autocast) { try recomputed(region) }
      let wanted = zip(region.outputs, gradients).compactMap { output, gradient in
        gradient.flatMap { gradient in values[output.node + 1].map { ($0, gradient) } }
      }
      values = []
      for (index, (value, gradient)) in wanted.enumerated() where value.requiresGrad {
        try value.backward(gradient, retain: index + 1 < wanted.count)
      }
      try withoutGradient {
        // Only now: what was recorded may hold on to them.
        for (tensor, before) in statistics { try tensor.copyInPlace(from: before) }
      }
      for output in region.outputs { try output.value.setGrad(nil) }
      TorchRuntime.releaseFusedMemory()
    }
  }

  /// The values of a region's nodes, recorded. Dropout drops what it dropped.
  private func recomputed(_ region: CheckpointedRegion) throws -> [Tensor?] {
    let generatorBefore = region.generator == nil ? nil : try generator.state()
    if let state = region.generator { try generator.restore(state) }
    var values = [Tensor?](repeating: nil, count: network.nodes.count + 1)
    for (position, value) in region.inputs { values[position] = value }
    var captured: [Int: Tensor] = [:]
    try withGradient(true) { try advance(region.nodes, &values, region.captured, &captured) }
    for (node, value) in captured { values[node + 1] = value }
    if let generatorBefore { try generator.restore(generatorBefore) }
    return values
  }

  private func drawsNumbers(_ node: Int) -> Bool {
    switch network.nodes[node].operation {
    case .dropout(let rate), .dropPath(let rate): rate > 0
    case .convolution, .branchedConvolution, .batchNormalization, .l2Normalization, .activation,
      .linear, .add, .multiply, .concatenate, .slice, .channelShuffle, .pool, .globalAveragePool,
      .adaptiveAveragePool, .pad, .flatten:
      false
    }
  }
}
