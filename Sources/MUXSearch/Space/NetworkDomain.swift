// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXNetworks
import Synchronization

/// A ``NetworkSpace`` as a search sees it: genomes that decode to networks, with their parameters and
/// multiply-adds known before any training.
public struct NetworkDomain: SearchDomain {
  /// What a network costs without training it.
  public struct Costs: Sendable, Hashable, Codable {
    /// Learnable scalars.
    public var parameters: Int
    /// Multiply-adds of convolutions and linear layers on one image.
    public var multiplyAdds: Int
  }

  /// A quantity to be minimised.
  public enum Quantity: String, Sendable, Hashable, Codable, CaseIterable {
    /// 1 − accuracy, in percent; has to be trained for.
    case error
    /// Learnable scalars.
    case params
    /// Multiply-adds.
    case madds
    /// Milliseconds for one image; has to be measured.
    case latency

    /// Its name, unit and format.
    public var metric: Metric {
      switch self {
      case .error: .error
      case .params: .parameters
      case .madds: .multiplyAdds
      case .latency: .latency
      }
    }
  }

  /// The space whose decisions the genes are.
  public let space: NetworkSpace
  /// The decisions.
  public let genes: [Gene]
  /// The objectives, in order.
  public let quantities: [Quantity]
  /// Objectives of the user's own, behind the ``quantities``.
  public let own: [Objective]
  /// Milliseconds for one image; nil where an architecture cannot be measured.
  public typealias LatencyMeasure = @Sendable (Architecture) -> Double?

  private let cache = CostCache()
  private let latency: LatencyMeasure?

  /// The search of a space for small error, parameters and multiply-adds, or other quantities.
  ///
  /// `latency` measures networks for the limit ``NetworkSpace/Constraints/maximumLatency``: once for
  /// each network, before it is asked for.
  public init(
    _ space: NetworkSpace, quantities: [Quantity] = [.error, .params, .madds],
    own: [Objective] = [], latency: LatencyMeasure? = nil
  ) {
    self.own = own
    self.space = space
    self.quantities = quantities
    self.latency = latency
    genes = space.genes
  }

  /// The network of a genome, in canonical form; every block is a stage of its own, as in the
  /// authors' definitions.
  ///
  /// - Throws: `NetworkError` for a genome that cannot be built.
  public func architecture(
    _ genome: Genome, name: String? = nil
  ) throws(NetworkError) -> Architecture {
    let genome = space.canonicalForm(genome) ?? genome
    let stem = space.stem[genome[0]]
    var blocks: [BlockSpecification] = []
    for text in space.first { blocks.append(try space.block(first: text, channels: stem)) }
    for (index, stage) in space.stages.enumerated() {
      blocks.append(try stage.reduction(genome, index))
      let repeats = stage.repeats[genome[NetworkSpace.position(index, .repeats)]]
      if repeats > 0 {
        blocks += [BlockSpecification](
          repeating: try stage.normal(genome, index), count: repeats)
      }
    }
    var position = space.tailPosition
    if let tail = space.tail {
      blocks.append(
        try tail.block(
          tail.kernel[genome[position]], tail.width[genome[position + 1]],
          tail.expansion[genome[position + 2]]))
      position += 3
    }
    var architecture = Architecture(
      name: name ?? "\(space.name)-\(key(of: genome))",
      stem: .init(channels: stem, stride: space.stemStride), stages: blocks.map { [$0] },
      head: .init(channels: space.head[genome[position]], width: space.headWidth))
    architecture.inputChannels = space.inputChannels
    architecture.inputSize = ImageSize(space.inputSize)
    architecture.classes = space.classes
    architecture.dropoutRate = space.dropoutRate
    return architecture
  }

  /// The costs of a canonical genome, remembered after the first time; nil if it cannot be built.
  public func costs(of canonical: Genome) -> Costs? {
    cache.value(for: canonical) {
      guard let network = try? architecture(canonical, name: space.name).network(),
        let report = try? CostReport(network)
      else { return nil }
      return Costs(parameters: report.parameters, multiplyAdds: report.multiplyAdds)
    }
  }

  /// The canonical form, nil where no network can be built or a limit is broken.
  public func canonical(_ genome: Genome) -> Genome? {
    guard let form = space.canonicalForm(genome) else { return nil }
    let limits = space.constraints
    guard limits.maximumParameters != nil || limits.maximumMultiplyAdds != nil else { return form }
    guard let costs = costs(of: form), costs.parameters <= limits.maximumParameters ?? .max,
      costs.multiplyAdds <= limits.maximumMultiplyAdds ?? .max
    else { return nil }
    return form
  }

  /// Whether a limit needs a measurement (latency), so that a check may take long.
  public var hasMeasuredLimits: Bool { space.constraints.maximumLatency != nil }

  /// Whether the network is quick enough, measured now; always where there is no such limit.
  public func admits(_ canonical: Genome) -> Bool {
    guard let most = space.constraints.maximumLatency, let latency else { return true }
    guard let architecture = try? architecture(canonical), let value = latency(architecture) else {
      return false
    }
    return value <= most
  }

  /// The network with the fewest parameters and multiply-adds, where the space has limits.
  public var cheapest: Genome? {
    guard space.constraints != NetworkSpace.Constraints() else { return nil }
    return cache.cheapest {
      let scale = (reach(of: .params).upperBound, reach(of: .madds).upperBound)
      return least {
        Double($0.parameters) / scale.0 + Double($0.multiplyAdds) / scale.1
      }.genome
    }
  }

  /// Parameters and multiply-adds, NaN for what has to be measured.
  public func knownObjectives(of canonical: Genome) -> [Double]? {
    guard let costs = costs(of: canonical) else { return nil }
    return quantities.map { quantity in
      switch quantity {
      case .params: Double(costs.parameters)
      case .madds: Double(costs.multiplyAdds)
      case .error, .latency: .nan
      }
    }
      + own.map {
        $0.value(parameters: costs.parameters, multiplyAdds: costs.multiplyAdds) ?? .nan
      }
  }

  /// The search of this space towards targets.
  ///
  /// A cost's scale is the largest value that a target names, else the limit, else the largest that
  /// the space reaches; so costs are divided by their maximum (paper, section 5.1). `errorScale` is
  /// the error in percent that counts as 1.
  ///
  /// - Throws: ``SearchError``.
  public func problem(
    targets: [ReferenceTarget] = [], errorScale: Double = 100.0 / 3, latencyScale: Double = 10
  ) throws(SearchError) -> SearchProblem {
    try checkSomethingBuilds()
    try checkLimits()
    var objectives: [Objective] = []
    for quantity in quantities {
      // A target of 0 has a direction, and no scale.
      let named = targets.compactMap { $0.values[quantity.rawValue] }.filter { $0 > 0 }.max()
      let scale: Double =
        switch quantity {
        case .error: errorScale
        case .latency: named ?? latencyScale
        case .params:
          named ?? space.constraints.maximumParameters.map(Double.init)
            ?? reach(of: .params).upperBound
        case .madds:
          named ?? space.constraints.maximumMultiplyAdds.map(Double.init)
            ?? reach(of: .madds).upperBound
        }
      objectives.append(Objective(quantity.metric, scale: scale))
    }
    return try SearchProblem(domain: self, objectives: objectives + own)
  }

  /// The least and the most parameters or multiply-adds in the space (limits aside), found gene by
  /// gene.
  public func reach(of quantity: Quantity) -> ClosedRange<Double> {
    cache.reach(of: quantity) {
      func cost(_ costs: Costs) -> Double {
        Double(quantity == .params ? costs.parameters : costs.multiplyAdds)
      }
      let lowest = least(cost).value
      return lowest...max(lowest, -least { -cost($0) }.value)
    }
  }

  /// A space of which nothing can be built has no costs, and so no scales.
  private func checkSomethingBuilds() throws(SearchError) {
    let first = Genome(genes.map { _ in 0 })
    let form = space.canonicalForm(first) ?? first
    guard costs(of: form) == nil, !reach(of: .params).lowerBound.isFinite else { return }
    var reason = "its choices do not go together"
    do {
      _ = try CostReport(architecture(first, name: space.name).network())
    } catch {
      reason = "\(error)"
    }
    throw .space(path: space.name, reason: "none of its networks can be built: \(reason)")
  }

  /// Limits that no network keeps, or that nothing measures, are errors.
  private func checkLimits() throws(SearchError) {
    let limits = space.constraints
    guard limits.maximumLatency == nil || latency != nil else {
      throw .invalidSetting(
        name: "maximumLatency", reason: "nothing measures latency here; leave the limit out")
    }
    let named: [(String, Int?, Quantity)] = [
      ("maximumParameters", limits.maximumParameters, .params),
      ("maximumMultiplyAdds", limits.maximumMultiplyAdds, .madds),
    ]
    for (name, limit, quantity) in named {
      guard let limit else { continue }
      let least = Int(reach(of: quantity).lowerBound)
      guard limit >= least else {
        throw .invalidSetting(
          name: name,
          reason: "no network of the space '\(space.name)' keeps \(limit); the least is \(least)")
      }
    }
    guard let cheapest, canonical(cheapest) == nil else { return }
    throw .invalidSetting(
      name: "constraints",
      reason: "no network of the space '\(space.name)' keeps all limits at once")
  }

  /// What a user should know of targets that no network of the space meets, in one line each.
  public func warnings(for targets: [ReferenceTarget]) -> [String] {
    var lines: [String] = []
    for quantity in [Quantity.params, .madds] where quantities.contains(quantity) {
      // What is below a budget is no use, and an error; what is above it limits nothing.
      let named = targets.filter {
        $0.kind == .direction && $0.values[quantity.rawValue] != nil
      }
      guard !named.isEmpty else { continue }
      let range = reach(of: quantity)
      for target in named {
        guard let value = target.values[quantity.rawValue], !range.contains(value) else { continue }
        lines.append(
          "target '\(target.name)': \(quantity.rawValue)=\(Self.whole(value)) is outside of what the"
            + " space '\(space.name)' reaches"
            + " (\(Self.whole(range.lowerBound))...\(Self.whole(range.upperBound)))")
      }
    }
    return lines
  }

  /// A number without decimals, where it is small enough to be shown so.
  private static func whole(_ value: Double) -> String {
    Int(exactly: value.rounded(.towardZero)).map(String.init) ?? "\(value)"
  }

  /// The genome with the least of something, and that, found gene by gene.
  private func least(_ cost: (Costs) -> Double) -> (genome: Genome, value: Double) {
    func value(_ genome: Genome) -> Double {
      guard let form = space.canonicalForm(genome), let costs = costs(of: form) else {
        return .infinity
      }
      return cost(costs)
    }
    var best = Genome(genes.map { _ in 0 })
    var lowest = value(best)
    var improves = true
    while improves {
      improves = false
      for index in genes.indices {
        for choice in 0..<genes[index].choices where choice != best[index] {
          var other = best
          other[index] = choice
          let candidate = value(other)
          if candidate < lowest { (best, lowest, improves) = (other, candidate, true) }
        }
      }
    }
    return (space.canonicalForm(best) ?? best, lowest)
  }
}

/// Remembers the costs of networks; shared by the copies of a domain.
private final class CostCache: Sendable {
  private let values = Mutex<[Genome: NetworkDomain.Costs?]>([:])
  private let ranges = Mutex<[NetworkDomain.Quantity: ClosedRange<Double>]>([:])
  private let least = Mutex<Genome?>(nil)

  func reach(
    of quantity: NetworkDomain.Quantity, _ make: () -> ClosedRange<Double>
  ) -> ClosedRange<Double> {
    if let known = ranges.withLock({ $0[quantity] }) { return known }
    let made = make()
    ranges.withLock { $0[quantity] = made }
    return made
  }

  func cheapest(_ make: () -> Genome) -> Genome {
    if let known = least.withLock({ $0 }) { return known }
    let made = make()
    least.withLock { $0 = made }
    return made
  }

  func value(
    for genome: Genome, _ make: () -> NetworkDomain.Costs?
  ) -> NetworkDomain.Costs? {
    if let known = values.withLock({ $0[genome] }) { return known }
    let made = make()
    values.withLock { $0[genome] = .some(made) }
    return made
  }
}
