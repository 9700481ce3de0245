// SPDX-License-Identifier: Apache-2.0

/// How many decisions of two computations are the same: the first guess of a classifier, the labels of
/// an image.
public struct DecisionCount: Sendable, Hashable {
  /// What is decided, in a word or two, such as `top-1`.
  public var name: String
  /// Decisions on which both sides agree.
  public var same: Int
  /// Decisions compared.
  public var total: Int

  /// A count.
  public init(_ name: String, same: Int = 0, of total: Int = 0) {
    self.name = name
    self.same = same
    self.total = total
  }
}
