// SPDX-License-Identifier: Apache-2.0

/// z*, the point from which distances are taken (paper, equation 2).
public enum IdealPoint: Sendable, Hashable, Codable {
  /// No error, no parameters, no multiply-adds: below anything that a network can reach, and fixed,
  /// so that g of a network never changes during a search.
  case origin
  /// A point in natural units that no network beats.
  case fixed([Double])
  /// The best value of each objective so far, less `margin` of the objective's scale.
  case estimated(margin: Double)
}
