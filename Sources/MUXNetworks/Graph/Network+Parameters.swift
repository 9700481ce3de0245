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

    /// What stands behind the last dot of the tensor's name, as PyTorch's layers call it.
    public var suffix: String {
      switch self {
      case .convolutionWeight, .linearWeight, .normalizationScale: "weight"
      case .bias, .normalizationShift: "bias"
      case .channelScale: "scale_weight"
      case .runningMean: "running_mean"
      case .runningVariance: "running_var"
      case .batchCount: "num_batches_tracked"
      }
    }
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
      _ role: ParameterSpecification.Role, _ shape: [Int], prefix: String = "", branch: Int? = nil,
      groups: Int = 1
    ) -> ParameterSpecification {
      ParameterSpecification(
        name: "\(name).\(prefix)\(role.suffix)", shape: shape, role: role, node: index,
        branch: branch, groups: groups)
    }
    func convolution(
      _ convolution: Convolution, prefix: String = "", branch: Int? = nil
    ) -> [ParameterSpecification] {
      [
        tensor(
          .convolutionWeight, convolution.weightShape, prefix: prefix, branch: branch,
          groups: convolution.groups)
      ]
        + (convolution.hasBias
          ? [tensor(.bias, [convolution.outputChannels], prefix: prefix, branch: branch)] : [])
    }
    switch operation {
    case .convolution(let value): return convolution(value)
    case .branchedConvolution(let branched):
      return branched.branches.enumerated().flatMap { position, branch in
        convolution(branch.convolution, prefix: "\(branch.name).", branch: position)
      }
    case .batchNormalization(let norm):
      return [
        tensor(.normalizationScale, [norm.channels]),
        tensor(.normalizationShift, [norm.channels]),
        tensor(.runningMean, [norm.channels]),
        tensor(.runningVariance, [norm.channels]),
        tensor(.batchCount, []),
      ]
    case .l2Normalization(let norm): return [tensor(.channelScale, [norm.channels])]
    case .linear(let linear):
      return [tensor(.linearWeight, [linear.outputFeatures, linear.inputFeatures])]
        + (linear.hasBias ? [tensor(.bias, [linear.outputFeatures])] : [])
    default: return []
    }
  }
}
