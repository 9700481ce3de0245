// SPDX-License-Identifier: Apache-2.0

/// What stochastic depth says of itself: the branch of an image is dropped as a whole.
struct DropPathRules: DropRules {
  static let kind = OperationKind.dropPath

  var rate: Double

  var operation: Operation { .dropPath(rate: rate) }
}
