// SPDX-License-Identifier: Apache-2.0
import MUXCore

extension Objective {
  /// Reads an objective of a user's own: `NAME:DIRECTION`, `NAME:DIRECTION:UNIT` or
  /// `NAME:DIRECTION:UNIT:SCALE`, each followed by `=` and a sum of costs where it follows from the network,
  /// such as `energy:minimize:mJ=4.6e-9*madds+1e-7*params`.
  ///
  /// The scale, the value that weighs as much as the largest cost, is the largest that a target names
  /// where none is given, and that of the largest network for a sum of costs.
  ///
  /// - Throws: ``SearchError/invalidSetting(name:reason:)``.
  public init(
    parsing text: String, targets: [ReferenceTarget], reach: (NetworkDomain.Quantity) -> Double
  ) throws(SearchError) {
    func fail(_ reason: String) -> SearchError {
      .invalidSetting(name: "objective", reason: "'\(text)': \(reason)")
    }
    let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let parts = sides[0].split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    let name = parts[0]
    guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || "_-.".contains($0) })
    else {
      throw fail("a name has letters, digits, '_', '-' and '.' only")
    }
    guard !Metric.objectives.contains(where: { $0.name == name }), !Self.taken.contains(name) else {
      throw fail("'\(name)' is known already; give it another name")
    }
    guard (2...4).contains(parts.count), ["minimize", "maximize"].contains(parts[1]) else {
      throw fail(
        "write NAME:minimize or NAME:maximize, then perhaps :UNIT and :SCALE, such as"
          + " energy:minimize:mJ:5")
    }
    let metric = Metric(
      name, unit: parts.count > 2 ? parts[2] : "",
      direction: parts[1] == "maximize" ? .higher : .lower, format: .scaled)
    let weights = sides.count > 1 ? try Self.weights(String(sides[1]), fail) : nil
    var scale = targets.compactMap { $0.values[name] }.max()
    if parts.count == 4 {
      let read = try? ReferenceTarget(parsing: "scale=\(parts[3])").values["scale"]
      guard let read, read > 0 else {
        throw fail("'\(parts[3])' is no scale; give a number above 0")
      }
      scale = read
    }
    if scale == nil, let weights {
      scale = weights.reduce(0) { sum, entry in
        sum + entry.value * (NetworkDomain.Quantity(rawValue: entry.key).map(reach) ?? 0)
      }
    }
    guard let scale, scale > 0, scale.isFinite else {
      throw fail(
        "it has no scale; give the value that weighs as much as the largest cost, such as"
          + " \(parts.prefix(2).joined(separator: ":")):\(metric.unit):5")
    }
    self.init(metric, scale: scale)
    self.weights = weights
  }

  /// Names that say something else in what evaluations print, or are columns of every table of trials.
  private static let taken: Set<String> = [
    "violation", "report", "number", "state", "target", "attempt", "seconds", "created", "started",
    "finished", "worker", "reason", "key", "blocks",
  ]

  private static func weights(
    _ text: String, _ fail: (String) -> SearchError
  ) throws(SearchError) -> [String: Double] {
    var weights: [String: Double] = [:]
    for term in text.split(separator: "+", omittingEmptySubsequences: false).joinedExponents {
      let factors = term.split(separator: "*", omittingEmptySubsequences: false)
      guard factors.count == 2, let weight = Double(factors[0]), weight.isFinite, weight >= 0,
        [Metric.parameters.name, Metric.multiplyAdds.name].contains(String(factors[1]))
      else {
        throw fail("'\(term)' is not NUMBER*params or NUMBER*madds")
      }
      weights[String(factors[1]), default: 0] += weight
    }
    return weights
  }

  /// The value of one that follows from the network; nil for one that is measured.
  func value(parameters: Int, multiplyAdds: Int) -> Double? {
    weights.map { weights in
      (weights[Metric.parameters.name] ?? 0) * Double(parameters)
        + (weights[Metric.multiplyAdds.name] ?? 0) * Double(multiplyAdds)
    }
  }
}

extension [Substring] {
  /// The terms of a sum, of which `1e+3` is none of its own.
  fileprivate var joinedExponents: [String] {
    reduce(into: [String]()) { terms, part in
      if let last = terms.last, last.last == "e" || last.last == "E", !last.contains("*") {
        terms[terms.count - 1] = "\(last)+\(part)"
      } else {
        terms.append(String(part))
      }
    }
  }
}
