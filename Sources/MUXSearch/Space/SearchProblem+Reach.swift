// SPDX-License-Identifier: Apache-2.0

/// What a space reaches of what is known without evaluation, so that budgets that no network keeps are
/// refused before anything is evaluated.
extension SearchProblem {
  /// Spaces up to this size are looked at as a whole, where looking is quick.
  private static let mostLooks = 1 << 16

  /// What a user should know of targets outside of what the networks of the space have, in one line each. Only
  /// what is known without evaluation is looked at.
  ///
  /// - Parameters:
  ///   - targets: The targets; budgets among them are left to ``checkReach(of:)``.
  ///   - space: What the space is called.
  public func warnings(for targets: [ReferenceTarget], reachedBy space: String) -> [String] {
    var lines: [String] = []
    for (index, objective) in objectives.enumerated() {
      let named = targets.filter { $0.kind == .direction && $0.values[objective.name] != nil }
      guard !named.isEmpty, let low = least({ $0[index].isNaN ? nil : $0[index] })?.value,
        let high = least({ $0[index].isNaN ? nil : -$0[index] }).map({ -$0.value })
      else { continue }
      for target in named {
        guard let value = target.values[objective.name], !(low...max(low, high)).contains(value)
        else { continue }
        lines.append(
          "target '\(target.name)': \(objective.name)=\(text(value, index)) is outside of what \(space)"
            + " reaches (\(text(low, index))...\(text(high, index)))")
      }
    }
    return lines
  }

  /// Refuses targets without a name of their own, and values that nothing can have, such as an error of 101
  /// percent.
  ///
  /// - Throws: ``SearchError/invalidTarget(target:reason:)``.
  public func check(_ targets: [ReferenceTarget]) throws(SearchError) {
    var names: Set<String> = []
    for target in targets {
      guard !target.name.allSatisfy(\.isWhitespace) else {
        throw .invalidTarget(
          target: target.name, reason: "its name is empty; write such as small:params=1.5M")
      }
      guard names.insert(target.name).inserted else {
        throw .invalidTarget(
          target: target.name, reason: "another one has the same name; give each a name of its own")
      }
      for objective in objectives {
        guard let value = target.values[objective.name],
          let defect = objective.metric.defect(of: value)
        else { continue }
        throw .invalidTarget(target: target.name, reason: "'\(objective.name)' \(defect)")
      }
    }
  }

  /// Refuses budgets that no network of the space keeps, all of them in one error.
  ///
  /// - Throws: ``SearchError/invalidTarget(target:reason:)`` with the least that there is.
  public func checkReach(of targets: [ReferenceTarget]) throws(SearchError) {
    var defects: [(name: String, reason: String)] = []
    for target in targets where target.kind == .budget {
      let budget = try Budget(target, objectives)
      if let reason = defect(of: budget) { defects.append((target.name, reason)) }
    }
    guard let first = defects.first else { return }
    let others = defects.dropFirst().map { "; target '\($0.name)': \($0.reason)" }.joined()
    throw .invalidTarget(target: first.name, reason: first.reason + others)
  }

  private func defect(of budget: Budget) -> String? {
    var lines: [String] = []
    for (index, objective) in objectives.enumerated() {
      guard let limit = budget.limits[index],
        let least = least({ $0[index].isNaN ? nil : objective.coordinate($0[index]) })
      else { continue }
      guard least.value > limit else { continue }
      lines.append(
        "no network keeps \(objective.name)=\(text(objective.value(at: limit), index)); the"
          + " \(objective.isMaximized ? "most" : "least") of the space is"
          + " \(text(objective.value(at: least.value), index))")
    }
    guard lines.isEmpty else { return lines.joined(separator: "; ") }
    guard let nearest = least({ budget.excess(known: $0, objectives) }), nearest.value > 0 else {
      return nil
    }
    let values = objectives.indices.filter {
      budget.limits[$0] != nil && !nearest.known[$0].isNaN
    }.map { "\(objectives[$0].name)=\(text(nearest.known[$0], $0))" }.joined(separator: ",")
    return
      "its limits contradict each other: each can be kept, but not all by one network; the nearest"
      + " has \(values)"
  }

  /// Numbers such that a limit of just that is kept.
  private func text(_ value: Double, _ index: Int) -> String {
    Int(exactly: value.rounded()).map { Double($0) == value ? "\($0)" : "\(value)" } ?? "\(value)"
  }

  /// The least of something that follows from what is known of a network; nil where nothing does. Found
  /// gene by gene, in small tables by looking at all.
  private func least(
    _ cost: ([Double]) -> Double?
  ) -> (value: Double, known: [Double])? {
    var best: (value: Double, known: [Double], genome: Genome)?
    func look(_ genome: Genome) -> Bool {
      guard let canonical = domain.canonical(genome),
        let known = domain.knownObjectives(of: canonical), let value = cost(known),
        value < best?.value ?? .infinity
      else { return false }
      best = (value, known, genome)
      return true
    }
    if !(domain is NetworkDomain), let count = domain.genomeCount, count <= Self.mostLooks {
      for index in 0..<count { _ = look(domain.genome(at: index)) }
      return best.map { ($0.value, $0.known) }
    }
    let genes = domain.genes
    for start in [Genome(genes.map { _ in 0 }), domain.cheapest].compactMap(\.self) {
      _ = look(start)
    }
    var improves = best != nil
    while improves, let from = best?.genome {
      improves = false
      for (index, gene) in genes.enumerated() {
        for choice in 0..<gene.choices {
          var other = best?.genome ?? from
          guard other[index] != choice else { continue }
          other[index] = choice
          if look(other) { improves = true }
        }
      }
    }
    return best.map { ($0.value, $0.known) }
  }
}
