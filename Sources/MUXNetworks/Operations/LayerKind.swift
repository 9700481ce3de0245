// SPDX-License-Identifier: Apache-2.0

/// The kinds of layers whose shares the paper's figure 2 shows.
public enum LayerKind: String, Sendable, Hashable, Codable, CaseIterable {
  /// A dense convolution with a kernel above 1×1.
  case standardConvolution
  /// A 1×1 convolution.
  case pointwiseConvolution
  /// One kernel per channel.
  case depthwiseConvolution
  /// Groups of several channels.
  case groupConvolution
  /// The two 1×1 convolutions of squeeze-and-excitation.
  case squeezeExcitation
  /// A fully connected layer.
  case linear
  /// Batch normalisation.
  case batchNormalization
  /// Everything without multiply-adds; of these layers only an L2 normalisation has parameters.
  case other
}
