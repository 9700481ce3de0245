// SPDX-License-Identifier: Apache-2.0
public import MUXTensor

/// Runs a run of consecutive nodes in one piece, faster than node by node.
///
/// The node-by-node path stays the reference for every device and element type; an executor may
/// decline any call. It takes its parameters from ``NetworkModel/tensors(ofNode:)`` when it is made
/// (they are never replaced, only overwritten), must be differentiable where gradients are
/// recorded, and updates the running statistics of its batch norms itself when training. The batch
/// counters are the model's affair.
public protocol SegmentExecutor: AnyObject {
  /// The positions of its nodes in the network. Only the last one's value may be read outside.
  var nodes: Range<Int> { get }

  /// The last node's value.
  ///
  /// - Parameters:
  ///   - inputs: the values that the nodes read from outside, in the order of
  ///     ``NetworkModel/inputs(ofSegment:)``.
  ///   - training: whether batch norms use the batch's statistics.
  /// - Returns: nil to decline (other device, element type, shape): the nodes then run one by one.
  func forward(_ inputs: [Tensor], training: Bool) throws -> Tensor?
}
