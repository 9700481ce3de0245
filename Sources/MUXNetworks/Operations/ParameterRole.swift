// SPDX-License-Identifier: Apache-2.0

/// What the tensor is in its layer.
public enum ParameterRole: String, Sendable, Hashable, CaseIterable {
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

  /// Whether the optimizer changes such a tensor.
  var isLearnable: Bool {
    switch self {
    case .convolutionWeight, .linearWeight, .bias, .normalizationScale, .normalizationShift,
      .channelScale:
      true
    case .runningMean, .runningVariance, .batchCount: false
    }
  }

  /// Whether it is multiplied with values of several channels or pixels: the weights that a reduced
  /// precision changes.
  var isProductWeight: Bool {
    switch self {
    case .convolutionWeight, .linearWeight: true
    case .bias, .normalizationScale, .normalizationShift, .channelScale, .runningMean,
      .runningVariance, .batchCount:
      false
    }
  }
}
