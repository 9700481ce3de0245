// SPDX-License-Identifier: Apache-2.0

/// What a search answers where one network is asked for.
public enum Proposal: Sendable, Hashable {
  /// A network to be evaluated.
  case candidate(Candidate)
  /// A network whose limits have to be measured before it may be asked for.
  case unmeasured(UnmeasuredNetwork)
  /// The space has no more.
  case exhausted
}

/// A network that a search would ask for if it keeps the limits that have to be measured.
public struct UnmeasuredNetwork: Error, Sendable, Hashable, Codable {
  /// The canonical genome.
  public let genome: Genome
  /// The key of the canonical genome; no algorithm proposes a key twice.
  public let key: ArchitectureKey
  /// The sub-problem for which it was made.
  public let subproblem: Int?

  /// A network that was made for no sub-problem.
  public init(genome: Genome, key: ArchitectureKey) {
    self.init(genome: genome, key: key, subproblem: nil)
  }

  init(genome: Genome, key: ArchitectureKey, subproblem: Int?) {
    self.genome = genome
    self.key = key
    self.subproblem = subproblem
  }
}

/// What is known of limits that have to be measured: which networks keep them.
public struct LimitVerdicts: Sendable, Hashable {
  private var known: [ArchitectureKey: Bool] = [:]
  private let others: Bool?

  /// Nothing is known yet; `others` holds for all networks without a verdict of their own, and nil
  /// means that they have to be measured.
  public init(others: Bool? = nil) { self.others = others }

  /// The verdicts of an ask that went through: all but these were admitted.
  public init(refused: [ArchitectureKey]) {
    others = true
    for key in refused { known[key] = false }
  }

  /// The networks that do not keep the limits, in a fixed order.
  public var refused: [ArchitectureKey] {
    known.filter { !$0.value }.keys.sorted { ($0.high, $0.low) < ($1.high, $1.low) }
  }

  /// Whether a network keeps the limits; nil where that has to be measured.
  public subscript(key: ArchitectureKey) -> Bool? {
    get { known[key] ?? others }
    set { known[key] = newValue }
  }
}
