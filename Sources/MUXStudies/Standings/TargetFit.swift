// SPDX-License-Identifier: Apache-2.0
public import MUXSearch

/// How the values of a network compare with those that a target names: within or not, and by how much.
public struct TargetFit: Sendable, Hashable {
  /// One value against the target's.
  public struct Part: Sendable, Hashable {
    /// The name of the objective that the limit is on.
    public var objective: String
    /// The difference as a share of the target's value: above 0 for more.
    public var difference: Double
    /// Whether it is no worse than the target's.
    public var isWithin: Bool
  }

  /// What a network is held against.
  public let target: ReferenceTarget
  /// Its values, in the order of the objectives; only those that it names.
  public let parts: [Part]

  /// The fit of a trial; without objectives it has no parts.
  public init(_ trial: Trial, _ target: ReferenceTarget, _ objectives: [Objective]) {
    self.target = target
    parts = zip(objectives, trial.objectives ?? []).compactMap { objective, value in
      guard let wanted = target.values[objective.name] else { return nil }
      return Part(
        objective: objective.name, difference: wanted == 0 ? value : (value - wanted) / abs(wanted),
        isWithin: objective.isMaximized ? value >= wanted : value <= wanted)
    }
  }

  /// Whether no value is worse than the target's.
  public var isWithin: Bool { parts.allSatisfy(\.isWithin) }

  /// In words: `within: params −12 %, madds −3 %`, or `over: params +71 %` with only what is over.
  public var text: String {
    let shown = isWithin ? parts : parts.filter { !$0.isWithin }
    guard !shown.isEmpty else { return "within" }
    let values = shown.map { part -> String in
      let percent = 100 * part.difference
      // What is over is never shown as +0 %.
      let digits = abs(percent) < 10 ? 1 : 0
      let least = percent == 0 ? 0 : max(abs(percent), 0.1)
      let sign = percent > 0 ? "+" : percent < 0 ? "−" : "±"
      return "\(part.objective) \(sign)\(Self.fixed(least, digits)) %"
    }.joined(separator: ", ")
    return "\(isWithin ? "within" : "over"): \(values)"
  }

  private static func fixed(_ value: Double, _ digits: Int) -> String {
    let scale = digits == 0 ? 1.0 : 10
    let rounded = (value * scale).rounded() / scale
    guard rounded < 1e12 else { return "\(rounded)" }
    return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
  }
}

extension StudyDefinition {
  /// A target that the user named; nil where the whole front is searched.
  public func target(_ index: Int) -> ReferenceTarget? {
    guard case .targets(let targets) = goal, targets.indices.contains(index) else { return nil }
    return targets[index]
  }
}
