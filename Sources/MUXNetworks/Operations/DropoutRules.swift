// SPDX-License-Identifier: Apache-2.0

/// What dropout of single elements says of itself.
struct DropoutRules: DropRules {
  static let kind = OperationKind.dropout

  var rate: Double

  var operation: Operation { .dropout(rate: rate) }
}
