// SPDX-License-Identifier: Apache-2.0

/// One tensor of a network's state: a learnable parameter, or a statistic of a batch norm.
public struct ParameterSpecification: Sendable, Hashable {
  /// What the tensor is in its layer.
  public enum Role: String, Sendable, Hashable, CaseIterable {
    /// A convolution's weight, [C′, C / groups, k, k].
    case convolutionWeight
    /// A linear layer's weight, [F′, F].
    case linearWeight
    /// The bias of a convolution or a linear layer, [C′].
    case bias
    /// γ of a batch norm, [C].
    case normalizationScale
    /// β of a batch norm, [C].
    case normalizationShift
    /// The scale of an L2 normalisation, [C].
    case channelScale
    /// The running mean of a batch norm, [C]; not learnable.
    case runningMean
    /// The running variance of a batch norm, [C]; not learnable.
    case runningVariance
    /// How many batches a batch norm has seen, a 64-bit integer scalar; not learnable.
    case batchCount
  }

  /// The name in the state dict, such as `blocks.2.0.conv_pw.weight`.
  public var name: String
  /// The shape; empty for a scalar.
  public var shape: [Int]
  /// What the tensor is in its layer.
  public var role: Role
  /// The position of its node in ``Network/nodes``.
  public var node: Int
  /// The branch of a ``BranchedConvolution``, nil elsewhere.
  public var branch: Int?
  /// The groups of the convolution, 1 elsewhere.
  public var groups: Int

  /// Whether the optimizer changes it.
  public var isLearnable: Bool {
    switch role {
    case .runningMean, .runningVariance, .batchCount: false
    default: true
    }
  }

  /// The number of scalars.
  public var count: Int { shape.reduce(1, *) }
}

extension Network {
  /// All tensors of the state in the order of PyTorch's state dict.
  public var parameters: [ParameterSpecification] {
    nodes.indices.flatMap { nodes[$0].parameters(at: $0) }
  }

  /// The number of learnable scalars.
  public var parameterCount: Int {
    parameters.reduce(0) { $0 + ($1.isLearnable ? $1.count : 0) }
  }
}

extension Node {
  func parameters(at index: Int) -> [ParameterSpecification] {
    func tensor(
      _ suffix: String, _ shape: [Int], _ role: ParameterSpecification.Role, branch: Int? = nil,
      groups: Int = 1
    ) -> ParameterSpecification {
      ParameterSpecification(
        name: "\(name).\(suffix)", shape: shape, role: role, node: index, branch: branch,
        groups: groups)
    }
    func convolution(
      _ convolution: Convolution, prefix: String = "", branch: Int? = nil
    ) -> [ParameterSpecification] {
      [
        tensor(
          prefix + "weight", convolution.weightShape, .convolutionWeight, branch: branch,
          groups: convolution.groups)
      ]
        + (convolution.hasBias
          ? [tensor(prefix + "bias", [convolution.outputChannels], .bias, branch: branch)] : [])
    }
    switch operation {
    case .convolution(let value): return convolution(value)
    case .branchedConvolution(let branched):
      return branched.branches.enumerated().flatMap { position, branch in
        convolution(branch.convolution, prefix: "\(branch.name).", branch: position)
      }
    case .batchNormalization(let norm):
      return [
        tensor("weight", [norm.channels], .normalizationScale),
        tensor("bias", [norm.channels], .normalizationShift),
        tensor("running_mean", [norm.channels], .runningMean),
        tensor("running_var", [norm.channels], .runningVariance),
        tensor("num_batches_tracked", [], .batchCount),
      ]
    case .l2Normalization(let norm): return [tensor("scale_weight", [norm.channels], .channelScale)]
    case .linear(let linear):
      return [tensor("weight", [linear.outputFeatures, linear.inputFeatures], .linearWeight)]
        + (linear.hasBias ? [tensor("bias", [linear.outputFeatures], .bias)] : [])
    default: return []
    }
  }
}
