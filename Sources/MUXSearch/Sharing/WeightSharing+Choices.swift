// SPDX-License-Identifier: Apache-2.0

/// Which networks of a space are trained.
extension WeightSharing {
  /// The two ends of a space within its limits, by multiply-adds.
  package struct Ends: Sendable, Hashable {
    /// The network with the fewest.
    package var smallest: Genome
    /// The network with the most.
    package var largest: Genome
  }

  /// Looks for the ends gene by gene.
  ///
  /// - Throws: `SearchError` where no network keeps the limits.
  package func ends() throws(SearchError) -> Ends {
    let start = domain.cheapest ?? Genome(domain.genes.map { _ in 0 })
    guard let first = domain.canonical(start), domain.costs(of: first) != nil else {
      throw .invalidSetting(
        name: "constraints",
        reason: "no network of the space '\(space.name)' keeps all limits at once")
    }
    let all = WeightSharing.limitless(domain)
    return Ends(
      smallest: climb(from: first, by: -1, in: domain),
      largest: climb(
        from: reduced(climb(from: first, by: 1, in: all), in: all) ?? first, by: 1, in: domain))
  }

  private static func limitless(_ domain: NetworkDomain) -> NetworkDomain {
    var space = domain.space
    space.constraints = .init()
    return NetworkDomain(space)
  }

  /// Makes a network smaller until it keeps the limits, each time by the change that takes least of it for
  /// what it gains: that way a limit cuts all of a network, not the genes that come last.
  private func reduced(_ genome: Genome, in all: NetworkDomain) -> Genome? {
    let limits = space.constraints
    guard let top = all.costs(of: genome) else { return nil }
    func excess(_ costs: NetworkDomain.Costs) -> Double {
      func over(_ value: Int, _ limit: Int?) -> Double {
        limit.map { max(0, Double(value) / Double(max($0, 1)) - 1) } ?? 0
      }
      return over(costs.parameters, limits.maximumParameters)
        + over(costs.multiplyAdds, limits.maximumMultiplyAdds)
    }
    func size(_ costs: NetworkDomain.Costs) -> Double {
      Double(costs.parameters) / Double(top.parameters)
        + Double(costs.multiplyAdds) / Double(top.multiplyAdds)
    }
    var (current, costs) = (genome, top)
    while excess(costs) > 0 {
      var best: (price: Double, genome: Genome, costs: NetworkDomain.Costs)?
      for (form, other) in neighbours(of: current, in: all) {
        let gain = excess(costs) - excess(other)
        guard gain > 0 else { continue }
        let price = (size(costs) - size(other)) / gain
        if price < best?.price ?? .infinity { best = (price, form, other) }
      }
      guard let best else { return nil }
      (current, costs) = (best.genome, best.costs)
    }
    return domain.canonical(current)
  }

  /// The networks that differ in one gene (and in what that makes necessary), with their costs.
  private func neighbours(
    of genome: Genome, in domain: NetworkDomain
  ) -> [(genome: Genome, costs: NetworkDomain.Costs)] {
    var found: [(Genome, NetworkDomain.Costs)] = []
    for (index, gene) in domain.genes.enumerated() {
      for choice in 0..<gene.choices where choice != genome[index] {
        var other = genome
        other[index] = choice
        if let form = domain.canonical(other), let costs = domain.costs(of: form) {
          found.append((form, costs))
        }
      }
    }
    return found
  }

  private func climb(from start: Genome, by sign: Int, in domain: NetworkDomain) -> Genome {
    var best = start
    var value = domain.costs(of: start).map { sign * $0.multiplyAdds } ?? .min
    var improves = true
    while improves {
      improves = false
      for (index, gene) in domain.genes.enumerated() {
        for choice in 0..<gene.choices where choice != best[index] {
          var other = best
          other[index] = choice
          guard let form = domain.canonical(other), let costs = domain.costs(of: form),
            sign * costs.multiplyAdds > value
          else { continue }
          (best, value, improves) = (form, sign * costs.multiplyAdds, true)
        }
      }
    }
    return best
  }

  /// A genome whose choices without order, such as the multiplexing, are drawn: each has weights of its
  /// own, which would else never be trained at the ends of the space. The genome itself where none of a
  /// few draws keeps the limits.
  package func varied(
    _ genome: Genome, with random: inout some RandomNumberGenerator
  ) -> Genome {
    for _ in 0..<8 {
      var other = genome
      for (index, gene) in domain.genes.enumerated() where !gene.isOrdered {
        other[index] = Int.random(in: 0..<gene.choices, using: &random)
      }
      if let form = domain.canonical(other) { return form }
    }
    return genome
  }

  /// A genome of which every choice is drawn, within the limits.
  ///
  /// - Throws: `SearchError` where none of very many draws keeps them.
  package func drawn(
    with random: inout some RandomNumberGenerator, where isWanted: (Genome) -> Bool = { _ in true }
  ) throws(SearchError) -> Genome {
    for _ in 0..<100_000 {
      let genome = Genome(domain.genes.map { Int.random(in: 0..<$0.choices, using: &random) })
      if let form = domain.canonical(genome), isWanted(form) { return form }
    }
    throw .invalidSetting(
      name: "constraints",
      reason: "none of 100000 networks drawn from the space '\(space.name)' keeps what is asked for"
    )
  }

  /// The fewest and the most multiply-adds of a network, limits aside.
  package var reachOfMultiplyAdds: (least: Int, most: Int) {
    let reach = domain.reach(of: .madds)
    return (Int(reach.lowerBound), Int(reach.upperBound))
  }

  /// What a genome's network costs; nil where it cannot be built.
  package func costs(of genome: Genome) -> NetworkDomain.Costs? {
    (try? canonical(genome)).flatMap { domain.costs(of: $0) }
  }
}
