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

/// What one layer costs on one image.
public struct LayerCost: Sendable, Hashable, Codable {
  /// The node's name, with the branch's suffix for branched convolutions.
  public var name: String
  /// The block that it belongs to, empty outside of blocks.
  public var block: String
  /// The operation's name.
  public var operation: String
  /// The kind of layer.
  public var kind: LayerKind
  /// The output of the node (of the branch).
  public var outputShape: Shape
  /// Learnable scalars.
  public var parameters: Int
  /// Multiply-adds of convolutions and linear layers.
  public var multiplyAdds: Int
  /// What the paper's counter adds for this layer: gate products and pooled outputs.
  public var extraMultiplyAdds: Int
}
