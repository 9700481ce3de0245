// SPDX-License-Identifier: Apache-2.0

/// How the model of ``GuidedMOEAD`` learns.
public struct SurrogateSettings: Sendable, Hashable, Codable {
  /// What predicts.
  public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
    /// Effects of choices and of pairs of them, by ridge regression.
    case effects
    /// A Gaussian process with a product kernel over the genes.
    case process
    /// The one of the two that has predicted better lately.
    case better
  }

  /// What predicts; nil asks, where there are budgets, the better one, and the effects else, which are
  /// eighty times as quick: for tables, where an evaluation costs nothing.
  public var kind: Kind?
  /// The samples by which the effect of a choice is drawn to 0.
  public var mainPenalty = 1.0
  /// The same for the effect of a pair of choices.
  public var pairPenalty = 3.0
  /// The passes over all effects at each fit.
  public var passes = 2
  /// The model is fitted anew when its samples have grown by this share, and by up to three times as
  /// much beyond 100 samples, where a few more of them change little.
  public var growth = 0.05
  /// The share of the worst samples that are cut to the best of them: how far off a failure is
  /// teaches little about the good region.
  public var clippedShare = 0.3
  /// Genes above this number have no pairs.
  public var mostPairedGenes = 24

  /// Settings tuned together with those of ``GuidedMOEAD``.
  public init() {}

  /// The samples that are only collected after a fit of `count`.
  func pause(after count: Int) -> Int {
    let share = growth * min(max(Double(count) / 100, 1), 3)
    return max(1, Int((share * Double(count)).rounded(.up)))
  }
}
