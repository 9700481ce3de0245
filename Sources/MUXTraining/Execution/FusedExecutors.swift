// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXRuntime
import MUXTensor

extension NetworkModel {
  /// Runs recognised blocks, stem and head through fused operations from now on: the same numbers
  /// up to rounding, several times as fast. Only on the CPU in `float32`; does nothing elsewhere.
  ///
  /// Fused operations decline under autocast, and cannot be differentiated twice.
  ///
  /// - Returns: how many nodes run inside fused operations.
  @discardableResult
  public func installFusedOperations() throws -> Int {
    guard device == .cpu, dtype == .float32 else { return 0 }
    var count = 0
    for pattern in FusedPattern.all(in: network) {
      let executor: any SegmentExecutor =
        switch pattern.kind {
        case .block(let block): FusedBlockExecutor(self, pattern.nodes, block)
        case .layer(let layer): FusedLayerExecutor(self, pattern.nodes, layer)
        }
      try install(executor)
      count += pattern.nodes.count
    }
    return count
  }
}

/// A depthwise-separable block, an inverted residual or a MUX block as one operation.
final class FusedBlockExecutor: SegmentExecutor {
  let nodes: Range<Int>
  private let block: FusedBlock

  init(_ model: NetworkModel, _ nodes: Range<Int>, _ pattern: FusedPattern.Block) {
    self.nodes = nodes
    let weights = model.tensors(ofNode:)
    let branches = zip(pattern.branches, weights(pattern.spatial)).map { branch, weight in
      FusedBlock.Branch(
        channels: branch.inputChannels, kernelSize: branch.convolution.kernelSize,
        groupWidth: branch.convolution.groupWidth, multiplexing: branch.multiplexing.rawValue,
        weight: weight, zerosBefore: { branch.convolution.zeros(around: $0).before })
    }
    block = FusedBlock(
      activation: pattern.activation.kernels, processedChannels: pattern.processedChannels,
      shuffleGroups: pattern.shuffleGroups, hasResidual: pattern.hasResidual,
      expansion: pattern.expansion.map {
        .init(weight: weights($0.convolution)[0], norm: model.fusedNorm($0.norm))
      },
      stride: pattern.branches[0].convolution.stride,
      factor: pattern.branches.first { $0.multiplexing != .none }?.factor ?? 2,
      branches: branches,
      spatialNorm: model.fusedNorm(pattern.spatialNorm),
      squeeze: pattern.squeeze.map {
        .init(
          reduceWeight: weights($0.reduce)[0], reduceBias: weights($0.reduce)[1],
          expandWeight: weights($0.expand)[0], expandBias: weights($0.expand)[1],
          activation: $0.activation.kernels, gate: $0.gate.kernels)
      },
      projection: weights(pattern.projection)[0],
      projectionNorm: model.fusedNorm(pattern.projectionNorm))
  }

  func forward(_ inputs: [Tensor], training: Bool) throws -> Tensor? {
    guard let x = inputs.first, inputs.count == 1 else { return nil }
    return try block.run(x, training: training)
  }
}

/// Convolution, batch norm, activation and perhaps the global pool as one operation.
final class FusedLayerExecutor: SegmentExecutor {
  let nodes: Range<Int>
  private let layer: FusedConvolution

  init(_ model: NetworkModel, _ nodes: Range<Int>, _ pattern: FusedPattern.Layer) {
    self.nodes = nodes
    let convolution = pattern.convolution
    layer = FusedConvolution(
      activation: pattern.activation.kernels, pools: pattern.pools, stride: convolution.stride,
      zeros: { convolution.zeros(around: $0) }, weight: model.tensors(ofNode: pattern.node)[0],
      norm: model.fusedNorm(pattern.norm))
  }

  func forward(_ inputs: [Tensor], training: Bool) throws -> Tensor? {
    guard let x = inputs.first, inputs.count == 1 else { return nil }
    return try layer.run(x, training: training)
  }
}

extension NetworkModel {
  /// A batch norm of the network.
  func fusedNorm(_ norm: FusedPattern.Norm) -> FusedNorm {
    let state = tensors(ofNode: norm.node)
    return FusedNorm(
      weight: state[0], bias: state[1], mean: state[2], variance: state[3],
      epsilon: norm.settings.epsilon, momentum: norm.settings.momentum)
  }
}
