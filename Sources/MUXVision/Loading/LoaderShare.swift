// SPDX-License-Identifier: Apache-2.0

/// The part of the batches of a loader that one of several processes makes.
///
/// Which images an epoch shows in which batch, and how each is augmented, do not depend on the number of
/// processes; only which process makes them does.
public struct LoaderShare: Sendable, Hashable {
  /// What is divided.
  public enum Kind: Sendable, Hashable {
    /// The images of each batch. The first goes with the last, the second with the one before the last and
    /// so on, so that images that are mixed with each other stay together.
    case images
    /// The batches: one each in turn.
    case batches
  }

  /// What is divided.
  public var kind: Kind
  /// Who makes this part, counted from 0.
  public var rank: Int
  /// The number of processes that share the batches.
  public var count: Int

  /// A share.
  ///
  /// - Parameters:
  ///   - kind: What is divided.
  ///   - rank: Who makes this part, counted from 0.
  ///   - count: Of how many.
  public init(_ kind: Kind, rank: Int, of count: Int) {
    precondition(count > 0 && rank >= 0 && rank < count, "no such share")
    self.kind = kind
    self.rank = rank
    self.count = count
  }

  /// The places in a batch that are made, ascending; whatever is mixed with the reversed batch is mixed
  /// with the reversed share.
  func places(in batch: Int) -> [Int] {
    guard kind == .images else { return Array(0..<batch) }
    let pairs = batch / 2
    let (start, end) = (pairs * rank / count, pairs * (rank + 1) / count)
    let middle = batch % 2 == 1 && rank == count - 1 ? [pairs] : []
    return Array(start..<end) + middle + Array(batch - end..<batch - start)
  }

  /// The batches of so many that are made.
  func batches(of all: Int) -> Int {
    kind == .images ? all : (all - rank + count - 1) / count
  }

  /// The number in the epoch of a batch that is made.
  func batch(_ index: Int) -> Int { kind == .images ? index : index * count + rank }
}
