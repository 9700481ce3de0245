// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
public import MUXTensor

extension NetworkModel {
  /// The network's output for a batch of images [N, C, H, W]: logits [N, classes], as a rule.
  ///
  /// Values are let go as soon as no later node reads them (autograd keeps what it needs). The
  /// element type of the output is that of the parameters, or autocast's inside its scope.
  ///
  /// - Throws: ``ExecutionError/severalOutputs(network:count:)`` for a network that has more than
  ///   one output, such as a detector: ``outputs(_:)`` gives them all.
  public func forward(_ input: Tensor) throws -> Tensor {
    try single(run(input, capturing: []).outputs)
  }

  /// All outputs for a batch of images [N, C, H, W], in the order of the network's `outputs`.
  public func outputs(_ input: Tensor) throws -> [Tensor] {
    try run(input, capturing: []).outputs
  }

  /// The output and the values of named layers (nodes, or blocks: their last node).
  ///
  /// - Throws: `NetworkError.unknownLayer` before anything runs.
  public func forward(
    _ input: Tensor, capturing layers: [String]
  ) throws -> (output: Tensor, layers: [String: Tensor]) {
    var indices: [String: Int] = [:]
    for layer in layers { indices[layer] = try network.index(ofLayer: layer) }
    let (outputs, values) = try run(input, capturing: Set(indices.values))
    return (try single(outputs), indices.compactMapValues { values[$0] })
  }

  /// The value of a layer (a node, or a block: its last node).
  ///
  /// - Throws: `NetworkError.unknownLayer` before anything runs.
  public func value(ofLayer layer: String, for input: Tensor) throws -> Tensor {
    let index = try network.index(ofLayer: layer)
    guard let value = try run(input, capturing: [index]).captured[index] else {
      throw ExecutionError.segment(nodes: index..<index + 1, reason: "the layer gave nothing")
    }
    return value
  }

  private func single(_ outputs: [Tensor]) throws -> Tensor {
    guard outputs.count == 1 else {
      throw ExecutionError.severalOutputs(network: network.name, count: outputs.count)
    }
    return outputs[0]
  }

  private func run(
    _ input: Tensor, capturing: Set<Int>
  ) throws -> (outputs: [Tensor], captured: [Int: Tensor]) {
    try check(input)
    // Position 0 is the network's input, node i is at i + 1.
    var values = [Tensor?](repeating: nil, count: network.nodes.count + 1)
    values[0] = device == .cpu ? try input.contiguous(.channelsLast) : input
    var captured: [Int: Tensor] = [:]
    let capturing = isTraining ? capturing.union(watched) : capturing
    if checkpointsActivations, isTraining, isGradientEnabled {
      try advanceInRegions(&values, capturing, &captured)
    } else {
      try advance(0..<plan.steps.count, &values, capturing, &captured)
    }
    let outputs = network.outputIndices.compactMap { values[$0 + 1] }
    guard outputs.count == network.outputs.count else {
      throw ExecutionError.segment(
        nodes: 0..<plan.steps.count, reason: "an output was not computed")
    }
    watchedValues = isTraining && !watched.isEmpty ? captured : [:]
    return (outputs, captured)
  }

  /// Runs some nodes; the values that they read are there.
  func advance(
    _ range: Range<Int>, _ values: inout [Tensor?], _ capturing: Set<Int>,
    _ captured: inout [Int: Tensor]
  ) throws {
    var index = range.lowerBound
    while index < range.upperBound {
      let nodes: Range<Int>
      if let segment = segments[index], segment.isFree(of: capturing),
        let output = try run(segment, values)
      {
        nodes = segment.executor.nodes
        values[nodes.upperBound] = output
      } else {
        nodes = index..<index + 1
        values[index + 1] = try runNode(index, values, isCaptured: capturing.contains(index))
      }
      index = nodes.upperBound
      if capturing.contains(index - 1) { captured[index - 1] = values[index] }
      for node in nodes { for used in plan.steps[node].lastUses { values[used + 1] = nil } }
    }
  }

  private func runNode(_ index: Int, _ values: [Tensor?], isCaptured: Bool) throws -> Tensor? {
    let step = plan.steps[index]
    if step.isAbsorbed, !isCaptured { return nil }
    let inputs = step.inputs.compactMap { values[$0 + 1] }
    let node = network.nodes[index]
    guard inputs.count == step.inputs.count, let first = inputs.first else {
      throw ExecutionError.segment(
        nodes: index..<index + 1, reason: "an input of '\(node.name)' has no value")
    }
    if step.interleaves { return try Tensor.interleavingChannels(inputs) }
    return try apply(
      node.operation, first, inputs, stateByNode[index],
      statisticsRest: restingNorms.contains(index))
  }

  private func run(_ segment: Segment, _ values: [Tensor?]) throws -> Tensor? {
    let inputs = segment.inputs.compactMap { values[$0 + 1] }
    // A segment has one mode: where only some of its norms rest, its nodes run one by one.
    let resting = restingNorms.isEmpty ? 0 : segment.norms.count { restingNorms.contains($0) }
    guard inputs.count == segment.inputs.count, resting == 0 || resting == segment.norms.count
    else { return nil }
    let training = isTraining && resting == 0
    guard let output = try segment.executor.forward(inputs, training: training) else { return nil }
    if training { for counter in segment.counters { try count(counter) } }
    return output
  }

  func count(_ counter: Tensor) throws {
    try withoutGradient { () throws(TorchError) in try counter.addInPlace(1) }
  }
}
