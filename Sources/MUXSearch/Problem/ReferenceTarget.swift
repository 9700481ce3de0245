// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore

/// What a user wants, in natural units, such as 1.5 M parameters and 60 M multiply-adds.
///
/// The direction of the sub-problem runs from the ideal point through the target. An objective that
/// the user leaves out stands at its scale (coordinate 1): so does the error where a target only says
/// sizes. Coordinate 0 would put all directions into one plane, where one small network is the best
/// for every target.
///
/// A target of kind ``Kind/budget`` is no direction but a limit: see ``ReferenceTarget/budget(_:_:)``.
public struct ReferenceTarget: Sendable, Hashable, Codable {
  /// What a target asks for.
  public enum Kind: String, Sendable, Hashable, Codable {
    /// The network nearest to a direction, by penalty-based boundary intersection.
    case direction
    /// The best network whose values keep the limits.
    case budget
  }

  /// The target's name, unique within a study.
  public var name: String
  /// The wanted value, or the limit, for each objective's name.
  public var values: [String: Double]
  /// What it asks for.
  public var kind: Kind = .direction

  /// A target that is a direction.
  public init(_ name: String, _ values: [String: Double]) {
    self.name = name
    self.values = values
  }

  /// A direction by sizes; the error stands at its scale.
  package init(_ name: String, parameters: Double, multiplyAdds: Double) {
    self.init(name, [Metric.parameters.name: parameters, Metric.multiplyAdds.name: multiplyAdds])
  }

  /// A budget: of the networks whose values are all within the limits (at most, or at least where more
  /// is better) the one with the least error, or the best value of the first objective without a limit
  /// where the error is limited itself or no objective.
  public static func budget(_ name: String, _ limits: [String: Double]) -> ReferenceTarget {
    var target = ReferenceTarget(name, limits)
    target.kind = .budget
    return target
  }

  private enum CodingKeys: String, CodingKey { case name, values, kind }

  /// Reads a target; one without a kind, as studies of version 0.1 have them, is a direction.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    name = try container.decode(String.self, forKey: .name)
    values = try container.decode([String: Double].self, forKey: .values)
    kind = try container.decodeIfPresent(Kind.self, forKey: .kind) ?? .direction
  }

  /// Writes the target; the kind only where it is no direction, so that 0.1 can read directions.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(values, forKey: .values)
    if kind != .direction { try container.encode(kind, forKey: .kind) }
  }

  /// The paper's four targets for ImageNet: 1.5–5 M parameters with 60–300 M multiply-adds. The two
  /// in the middle are evenly spaced; the paper does not print them.
  public static let paper: [ReferenceTarget] = [
    ReferenceTarget("xs", parameters: 1.5e6, multiplyAdds: 60e6),
    ReferenceTarget("s", parameters: 1.5e6 + 3.5e6 / 3, multiplyAdds: 140e6),
    ReferenceTarget("m", parameters: 1.5e6 + 7e6 / 3, multiplyAdds: 220e6),
    ReferenceTarget("l", parameters: 5e6, multiplyAdds: 300e6),
  ]

  /// The largest value of a target. Costs are counted in `Int`, and no network comes near.
  static let largestValue = 1e15

  /// Reads `params=1.5M,madds=60M`; k, M and G are powers of 1,000 and % is left out of the number.
  ///
  /// - Throws: ``SearchError/invalidTarget(target:reason:)``.
  public init(parsing text: String) throws(SearchError) {
    var values: [String: Double] = [:]
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let sides = part.split(separator: "=", omittingEmptySubsequences: false)
      let name = sides[0].trimmed
      guard sides.count == 2, !name.isEmpty else {
        throw .invalidTarget(
          target: text, reason: "'\(part)' is not NAME=VALUE; write such as params=1.5M,madds=60M")
      }
      guard let value = Self.number(sides[1].trimmed), value >= 0 else {
        throw .invalidTarget(
          target: text, reason: "'\(sides[1])' is not a number of 0 or above, such as 60M or 7.5")
      }
      guard value <= Self.largestValue else {
        throw .invalidTarget(
          target: text, reason: "'\(sides[1])' is beyond any network; give a number such as 60M")
      }
      guard values.updateValue(value, forKey: name) == nil else {
        throw .invalidTarget(target: text, reason: "'\(name)' stands twice")
      }
    }
    self.init(text, values)
  }

  /// What a user should know of the geometry of targets, in one line each.
  ///
  /// Targets that all ask for 0 of an objective have their directions in one plane, where one small
  /// network is the best for all of them; so it is with accuracy "fixed at 1" if that is read as error
  /// 0. Directions that nearly coincide find the same networks.
  ///
  /// - Throws: ``SearchError/invalidTarget(target:reason:)`` for targets that do not fit.
  public static func warnings(
    for targets: [ReferenceTarget], objectives: [Objective]
  ) throws(SearchError) -> [String] {
    var points: [[Double]] = []
    let targets = targets.filter { $0.kind == .direction }
    for target in targets { points.append(try target.normalized(for: objectives)) }
    var lines: [String] = []
    for (index, objective) in objectives.enumerated() where targets.count > 1 {
      guard points.allSatisfy({ $0[index] == 0 }) else { continue }
      lines.append(
        "all targets have \(objective.name)=0: their directions lie in one plane, and one small network"
          + " may be the best for all; leave '\(objective.name)' out, so that it stands at its scale"
      )
    }
    for first in points.indices {
      for second in points.indices where second > first {
        let angle = Self.degrees(points[first], points[second])
        guard angle < 2 else { continue }
        lines.append(
          "targets '\(targets[first].name)' and '\(targets[second].name)' point in nearly the same"
            + " direction (\((angle * 10).rounded() / 10)° apart) and will find the same networks")
      }
    }
    return lines
  }

  private static func degrees(_ a: [Double], _ b: [Double]) -> Double {
    func product(_ a: [Double], _ b: [Double]) -> Double {
      zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let cosine = product(a, b) / (product(a, a) * product(b, b)).squareRoot()
    return acos(min(max(cosine, -1), 1)) * 180 / .pi
  }

  /// The target's values in the order of the objectives, over their scales.
  func normalized(for objectives: [Objective]) throws(SearchError) -> [Double] {
    let names = objectives.map(\.name)
    if let unknown = values.keys.sorted().first(where: { !names.contains($0) }) {
      throw .invalidTarget(
        target: name,
        reason: "there is no objective '\(unknown)'; there are \(names.joined(separator: ", "))")
    }
    var result: [Double] = []
    for objective in objectives {
      let wanted = values[objective.name]
      // What the user leaves out stands at its scale, which may be of any size.
      guard wanted.map({ $0 >= 0 && $0 <= Self.largestValue }) ?? true else {
        throw .invalidTarget(
          target: name, reason: "'\(objective.name)' must be 0 or above, and at most 10^15")
      }
      let value = objective.coordinate(wanted ?? objective.scale)
      guard value.isFinite else {
        throw .invalidTarget(
          target: name, reason: "'\(objective.name)' is too far above its scale \(objective.scale)")
      }
      result.append(value)
    }
    guard result.contains(where: { $0 > 0 }) else {
      throw .invalidTarget(target: name, reason: "all of its values are 0; it has no direction")
    }
    return result
  }

  private static func number(_ text: String) -> Double? {
    let powers: [Character: Double] = ["k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "%": 1]
    guard let last = text.last, let power = powers[last] else { return finite(text) }
    return finite(String(text.dropLast())).map { $0 * power }
  }

  private static func finite(_ text: String) -> Double? {
    Double(text).flatMap { $0.isFinite ? $0 : nil }
  }
}

extension Substring {
  /// Without spaces at the ends.
  fileprivate var trimmed: String {
    var rest = self
    while rest.first?.isWhitespace == true { rest.removeFirst() }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return String(rest)
  }
}
