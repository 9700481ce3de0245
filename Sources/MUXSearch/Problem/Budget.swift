// SPDX-License-Identifier: Apache-2.0

/// A budget over the coordinates of objectives: limits, and the objective that is made small within them.
///
/// How far a point is outside is its ``excess(of:)``: the sum over the limits of what is above, as a share
/// of the limit. So a constraint has a measure, by which two networks outside can be told apart, and a
/// search finds its way in.
package struct Budget: Sendable, Hashable, Codable {
  /// For each objective its limit as a coordinate, nil where there is none.
  package let limits: [Double?]
  /// The place of the objective that is made small.
  package let aim: Int

  /// Points outside come after all points within.
  private static let outside = 1e6

  /// The budget of a target.
  ///
  /// - Throws: ``SearchError/invalidTarget(target:reason:)`` for one that limits nothing, or all.
  package init(_ target: ReferenceTarget, _ objectives: [Objective]) throws(SearchError) {
    var limits: [Double?] = []
    for objective in objectives {
      guard let limit = target.values[objective.name] else {
        limits.append(nil)
        continue
      }
      guard limit > 0 else {
        throw .invalidTarget(
          target: target.name,
          reason: "the limit of '\(objective.name)' must be above 0, not \(limit)")
      }
      limits.append(objective.coordinate(limit))
    }
    guard limits.contains(where: { $0 != nil }) else {
      throw .invalidTarget(
        target: target.name, reason: "a budget limits at least one objective, such as params=1.5M")
    }
    let free = limits.indices.filter { limits[$0] == nil }
    guard let first = free.first else {
      throw .invalidTarget(
        target: target.name,
        reason: "it limits every objective; leave out the one that is to be the best within it")
    }
    self.limits = limits
    aim = free.first { objectives[$0].metric == .error } ?? first
  }

  /// By how much a point is over the limits, as the sum of shares of them; 0 within.
  @inline(__always)
  package func excess(of point: [Double]) -> Double {
    var sum = 0.0
    for index in limits.indices {
      guard let limit = limits[index], point[index] > limit else { continue }
      sum += point[index] / limit - 1
    }
    return sum
  }

  /// What is made small in this sub-problem: within the limits the aim, outside the excess, which counts
  /// above any point within.
  @inline(__always)
  package func value(_ aim: Double, excess: Double) -> Double {
    excess > 0 ? Self.outside + excess : min(aim, Self.outside)
  }

  /// The excess of what is known of a network; of what is not known nothing counts.
  package func excess(known: [Double], _ objectives: [Objective]) -> Double {
    excess(
      of: zip(known, objectives).map { $0.isNaN ? -.infinity : $1.coordinate($0) })
  }

  /// The excess of a value that was made of one; nil for a value within.
  package static func excess(in value: Double) -> Double? {
    value > outside ? value - outside : nil
  }
}

extension SearchProblem {
  /// The draws of a random network that shall be within a budget.
  private static let draws = 64

  /// A random network within a budget, or of some the one that is least outside; nil where nothing is
  /// known of networks without evaluation.
  func stranger(within budget: Budget, of genes: [Gene], _ random: inout SearchRandom) -> Genome? {
    var best: (genome: Genome, excess: Double)?
    for _ in 0..<Self.draws {
      let genome = Genome(genes.map { random.below($0.choices) })
      guard let canonical = domain.canonical(genome) else { continue }
      guard let known = domain.knownObjectives(of: canonical) else { return nil }
      let excess = budget.excess(known: known, objectives)
      if excess < best?.excess ?? .infinity { best = (canonical, excess) }
      if excess == 0 { break }
    }
    return best?.genome
  }
}
