// SPDX-License-Identifier: Apache-2.0

/// What one layer costs on one image.
public struct LayerCost: Sendable, Hashable, Codable {
  /// The node's name, with the branch's suffix for branched convolutions.
  public var name: String
  /// The block that it belongs to, empty outside of blocks.
  public var block: String
  /// The operation's name.
  public var operation: String
  /// What the layer counts as where costs are summed by kind.
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
