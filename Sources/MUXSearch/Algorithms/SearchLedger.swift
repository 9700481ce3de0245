// SPDX-License-Identifier: Apache-2.0

/// What every algorithm keeps: its random stream, the networks seen, the candidates out for
/// evaluation, and the results.
struct SearchLedger: Sendable {
  /// An evaluated network.
  struct Entry: Sendable, Codable {
    var genome: Genome
    /// The objectives over their scales.
    var objectives: [Double]
    var violation: Double
  }

  var random: SearchRandom
  private(set) var seen: Set<ArchitectureKey> = []
  private(set) var pending: [Int: Candidate] = [:]
  private(set) var nextID = 0
  /// The results, in the order told; failed ones are left out.
  private(set) var entries: [Entry] = []
  /// Networks to be asked for first.
  private var queue: [Genome] = []
  /// Cached here, since a domain may compute them.
  let genes: [Gene]

  init(problem: SearchProblem, seed: UInt64, initial: [Genome]) {
    random = SearchRandom(seed: seed, purpose: "search")
    genes = problem.domain.genes
    queue = initial.reversed()
  }

  /// Puts networks before those of the queue that came later, and behind those that came earlier.
  mutating func enqueue(_ genomes: [Genome]) {
    queue.insert(contentsOf: genomes.reversed(), at: 0)
  }

  /// The next network of the queue that is valid and new.
  mutating func queued(
    in problem: SearchProblem, _ verdicts: LimitVerdicts
  ) throws(UnmeasuredNetwork) -> Candidate? {
    while let genome = queue.popLast() {
      if let found = try register(genome, problem, nil, verdicts) { return found }
    }
    return nil
  }

  /// Puts any violation above every value without one.
  @inline(__always)
  static func penalized(_ value: Double, _ violation: Double) -> Double {
    violation > 0 ? 1e9 + violation : value
  }

  /// A random candidate that no one has seen; in small spaces found for certain if there is one.
  mutating func fallback(
    in problem: SearchProblem, subproblem: Int?, _ verdicts: LimitVerdicts
  ) throws(UnmeasuredNetwork) -> Candidate? {
    for attempt in 0..<Self.attempts {
      var genome = randomGenome()
      // Under tight limits ever more genes are those of the cheapest network.
      if attempt >= Self.freeAttempts, let cheapest = problem.domain.cheapest {
        let share =
          Double(attempt + 1 - Self.freeAttempts) / Double(Self.attempts - Self.freeAttempts)
        for index in genes.indices where random.uniform() < share {
          genome[index] = cheapest[index]
        }
      }
      if let found = try register(genome, problem, subproblem, verdicts) { return found }
    }
    guard let count = problem.domain.genomeCount, count <= 1 << 22 else { return nil }
    let start = random.below(count)
    for offset in 0..<count {
      let genome = problem.domain.genome(at: (start + offset) % count)
      if let found = try register(genome, problem, subproblem, verdicts) { return found }
    }
    return nil
  }

  private static let attempts = 256
  private static let freeAttempts = 16

  /// Makes a candidate of a genome unless it is not valid, known, or over a measured limit.
  ///
  /// - Throws: the network, where its limits have to be measured first.
  mutating func register(
    _ genome: Genome, _ problem: SearchProblem, _ subproblem: Int?, _ verdicts: LimitVerdicts
  ) throws(UnmeasuredNetwork) -> Candidate? {
    guard let canonical = problem.domain.canonical(genome) else { return nil }
    let key = problem.domain.key(of: canonical)
    guard seen.insert(key).inserted else { return nil }
    if problem.domain.hasMeasuredLimits {
      guard let isAdmitted = verdicts[key] else {
        throw UnmeasuredNetwork(genome: canonical, key: key, subproblem: subproblem)
      }
      guard isAdmitted else { return nil }
    }
    let candidate = Candidate(id: nextID, genome: canonical, key: key, subproblem: subproblem)
    nextID += 1
    pending[candidate.id] = candidate
    return candidate
  }

  /// Whether a network was asked for before.
  func hasSeen(_ key: ArchitectureKey) -> Bool { seen.contains(key) }

  /// A uniform genome.
  mutating func randomGenome() -> Genome {
    var values = [Int](repeating: 0, count: genes.count)
    for index in values.indices { values[index] = random.below(genes[index].choices) }
    return Genome(values)
  }

  /// Lets a candidate that failed wait for a result again.
  mutating func reopen(_ candidate: Candidate) {
    guard seen.contains(candidate.key), candidate.id < nextID,
      !entries.contains(where: { $0.genome == candidate.genome })
    else { return }
    pending[candidate.id] = candidate
  }

  /// Checks all results, then takes them in; gives the candidates with the positions of their
  /// entries (nil for failed ones).
  mutating func take(
    _ evaluations: [Evaluation], problem: SearchProblem
  ) throws(SearchError) -> [(candidate: Candidate, entry: Int?)] {
    try check(evaluations, problem)
    var taken: [(candidate: Candidate, entry: Int?)] = []
    taken.reserveCapacity(evaluations.count)
    for evaluation in evaluations {
      guard let candidate = pending.removeValue(forKey: evaluation.id) else { continue }
      guard let objectives = evaluation.objectives else {
        taken.append((candidate, nil))
        continue
      }
      entries.append(
        Entry(
          genome: candidate.genome, objectives: problem.normalized(objectives),
          violation: max(0, evaluation.violation)))
      taken.append((candidate, entries.count - 1))
    }
    return taken
  }

  private func check(
    _ evaluations: [Evaluation], _ problem: SearchProblem
  ) throws(SearchError) {
    var ids: Set<Int> = []
    for evaluation in evaluations {
      let isNew = evaluations.count == 1 || ids.insert(evaluation.id).inserted
      guard pending[evaluation.id] != nil, isNew else {
        throw .unknownCandidate(id: evaluation.id)
      }
      guard let objectives = evaluation.objectives else { continue }
      guard objectives.count == problem.objectives.count else {
        throw .wrongObjectiveCount(
          id: evaluation.id, expected: problem.objectives.count, actual: objectives.count)
      }
      for (objective, value) in zip(problem.objectives, objectives) where !value.isFinite {
        throw .notFinite(id: evaluation.id, objective: objective.name, value: "\(value)")
      }
      guard evaluation.violation.isFinite else {
        throw .notFinite(
          id: evaluation.id, objective: "violation", value: "\(evaluation.violation)")
      }
    }
  }
}

extension SearchLedger: Codable {
  private enum CodingKeys: String, CodingKey {
    case random, seen, pending, nextID, entries, queue, genes
    case packedSeen, packedEntries
  }

  /// Reads a ledger, also of version 0.1, which had a list of numbers for each network.
  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    random = try container.decode(SearchRandom.self, forKey: .random)
    pending = try container.decode([Int: Candidate].self, forKey: .pending)
    nextID = try container.decode(Int.self, forKey: .nextID)
    queue = try container.decode([Genome].self, forKey: .queue)
    genes = try container.decode([Gene].self, forKey: .genes)
    guard container.contains(.packedEntries) else {
      seen = try container.decode(Set<ArchitectureKey>.self, forKey: .seen)
      entries = try container.decode([Entry].self, forKey: .entries)
      return
    }
    seen = try container.decode(PackedKeys.self, forKey: .packedSeen).keys
    entries = try container.decode(PackedEntries.self, forKey: .packedEntries).entries(of: genes)
  }

  /// Writes the ledger. Networks are packed, since a large study has a hundred thousand of them.
  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(random, forKey: .random)
    try container.encode(pending, forKey: .pending)
    try container.encode(nextID, forKey: .nextID)
    try container.encode(queue, forKey: .queue)
    try container.encode(genes, forKey: .genes)
    try container.encode(PackedKeys(seen), forKey: .packedSeen)
    try container.encode(PackedEntries(entries), forKey: .packedEntries)
  }
}
