// SPDX-License-Identifier: Apache-2.0

/// Batch norms that use their running statistics also in training, and leave them as they are.
public enum RestingNorms: Sendable {
  case none
  /// Those all of whose parameters rest.
  case frozen
  /// All, also where scale and shift are trained.
  case all
}
