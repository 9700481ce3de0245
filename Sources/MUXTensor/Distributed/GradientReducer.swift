// SPDX-License-Identifier: Apache-2.0
internal import CTorch

/// Sums the gradients of some parameters over a group of processes.
///
/// They travel in flat buckets from the last parameter to the first, each as soon as all of its gradients
/// are there and the buckets before it have left: while the backward pass goes on. Losses are divided before
/// `backward`, so that the sums are means.
public final class GradientReducer {
  private let group: ProcessGroup
  private let handle: ct_reducer?

  /// Sizes of buckets in bytes: the first is small, so that it leaves early.
  public struct Buckets: Hashable, Sendable {
    /// Bytes of the first bucket, which is small so that the exchange begins early.
    public var first: Int
    /// Bytes of all other buckets.
    public var others: Int

    /// Sizes; the usual ones are a mebibyte and 25.
    public init(first: Int = 1 << 20, others: Int = 25 << 20) {
      self.first = first
      self.others = others
    }
  }

  /// Watches parameters from now on.
  ///
  /// - Parameters:
  ///   - parameters: The same ones in the same order in all processes.
  ///   - group: The processes.
  ///   - buckets: The sizes of the buckets.
  ///   - isShort: Whether gradients travel as bfloat16: half the bytes, sums of 8 bits.
  public init(
    _ parameters: [Tensor], over group: ProcessGroup, buckets: Buckets = Buckets(),
    isShort: Bool = false
  ) throws(TorchError) {
    self.group = group
    guard group.handle != nil else {
      handle = nil
      return
    }
    var reducer: ct_reducer?
    try succeed(
      withHandles(parameters) {
        ct_reducer_make(
          group.handle, $0, $1, Int64(buckets.first), Int64(buckets.others), isShort, &reducer)
      })
    handle = reducer
  }

  deinit { ct_reducer_release(handle) }

  /// Says that the next backward pass is the last one of a step.
  ///
  /// - Parameter overlaps: Whether gradients leave while it goes on. False where several passes follow whose
  ///   gradients add up.
  public func start(overlaps: Bool = true) throws(TorchError) {
    guard handle != nil else { return }
    try succeed(ct_reducer_start(handle, overlaps))
  }

  /// Waits until all gradients are the sums over the group. Parameters that have none, the same ones in all
  /// processes, are left without.
  public func finish() throws(ProcessGroupError) {
    guard handle != nil else { return }
    try group.together(ct_reducer_finish(handle))
  }
}

@available(*, unavailable)
extension GradientReducer: Sendable {}
