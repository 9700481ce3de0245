// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
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
    let (branches, stride, factor) = Self.branches(model, pattern.spatial)
    block = FusedBlock(
      activation: .init(pattern.activation), processedChannels: pattern.processedChannels,
      shuffleGroups: pattern.shuffleGroups, hasResidual: pattern.hasResidual,
      expansion: pattern.expansion.map {
        .init(weight: weights($0.convolution)[0], norm: model.fusedNorm($0.norm))
      },
      stride: stride, factor: factor, branches: branches,
      spatialNorm: model.fusedNorm(pattern.spatialNorm),
      squeeze: pattern.squeeze.map {
        .init(
          reduceWeight: weights($0.reduce)[0], reduceBias: weights($0.reduce)[1],
          expandWeight: weights($0.expand)[0], expandBias: weights($0.expand)[1],
          activation: .init($0.activation), gate: .init($0.gate))
      },
      projection: weights(pattern.projection)[0],
      projectionNorm: model.fusedNorm(pattern.projectionNorm))
  }

  func forward(_ inputs: [Tensor], training: Bool) throws -> Tensor? {
    guard let x = inputs.first, inputs.count == 1 else { return nil }
    return try block.run(x, training: training)
  }

  private static func branches(
    _ model: NetworkModel, _ node: Int
  ) -> (branches: [FusedBlock.Branch], stride: Int, factor: Int) {
    let tensors = model.tensors(ofNode: node)
    switch model.network.nodes[node].operation {
    case .branchedConvolution(let branched):
      let branches = zip(branched.branches, tensors).map { branch, weight in
        FusedBlock.Branch(
          channels: branch.inputChannels, kernelSize: branch.convolution.kernelSize,
          groupWidth: branch.convolution.groupWidth, multiplexing: branch.multiplexing.rawValue,
          weight: weight)
      }
      let factor = branched.branches.first { $0.multiplexing != .none }?.factor ?? 2
      return (branches, branched.stride, factor)
    case .convolution(let convolution):
      let branch = FusedBlock.Branch(
        channels: convolution.inputChannels, kernelSize: convolution.kernelSize,
        groupWidth: convolution.groupWidth, multiplexing: 0, weight: tensors[0])
      return ([branch], convolution.stride, 2)
    default:
      preconditionFailure("node \(node) is no spatial convolution")
    }
  }
}

/// Convolution, batch norm, activation and perhaps the global pool as one operation.
final class FusedLayerExecutor: SegmentExecutor {
  let nodes: Range<Int>
  private let layer: FusedConvolution

  init(_ model: NetworkModel, _ nodes: Range<Int>, _ pattern: FusedPattern.Layer) {
    self.nodes = nodes
    guard case .convolution(let convolution) = model.network.nodes[pattern.convolution].operation
    else { preconditionFailure("node \(pattern.convolution) is no convolution") }
    layer = FusedConvolution(
      activation: .init(pattern.activation), pools: pattern.pools, stride: convolution.stride,
      padding: convolution.padding, weight: model.tensors(ofNode: pattern.convolution)[0],
      norm: model.fusedNorm(pattern.norm))
  }

  func forward(_ inputs: [Tensor], training: Bool) throws -> Tensor? {
    guard let x = inputs.first, inputs.count == 1 else { return nil }
    return try layer.run(x, training: training)
  }
}

extension NetworkModel {
  /// The batch norm of a node.
  func fusedNorm(_ node: Int) -> FusedNorm {
    guard case .batchNormalization(let norm) = network.nodes[node].operation else {
      preconditionFailure("node \(node) is no batch norm")
    }
    let state = tensors(ofNode: node)
    return FusedNorm(
      weight: state[0], bias: state[1], mean: state[2], variance: state[3],
      epsilon: norm.epsilon, momentum: norm.momentum)
  }
}

extension FusedActivation {
  init(_ activation: Activation) {
    self =
      switch activation.kind {
      case .identity: .identity
      case .relu: .relu
      case .relu6: .relu6
      case .swish: .swish
      case .hardSwish: .hardSwish
      case .sigmoid: .sigmoid
      case .hardSigmoid: .hardSigmoid
      }
  }
}
