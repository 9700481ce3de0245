// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A quantity that is measured or computed, and all that is needed to speak of it: its name, its
/// unit, which direction is better, how it is written, and which values are possible.
///
/// Objectives of a search and scores of a task are metrics. Whatever shows, ranks or checks a value
/// asks the metric; nothing compares names.
public struct Metric: Sendable, Hashable, Codable {
  /// Which of two values is better.
  public enum Direction: String, Sendable, Hashable, Codable {
    /// Less is better, as for errors, losses and costs.
    case lower
    /// More is better, as for accuracies.
    case higher
  }

  /// How a value is written.
  public enum Format: Sendable, Hashable, Codable {
    /// With a fixed number of decimals: 0.6931.
    case fixed(decimals: Int)
    /// With three digits and no zeros at the end: 7.52, 12.3, 104.
    case significant
    /// With three digits and k, M or G for powers of 1,000: 92.3k, 1.5M.
    case scaled
    /// A share of 1 as percent, with a fixed number of decimals: 0.753 as 75.3.
    case percent(decimals: Int)
    /// A whole number with separated thousands: 12,345.
    case grouped
  }

  /// The key in files, options and tables: lower case, no spaces, such as `top1` or `params`.
  public var name: String
  /// What people call it, such as `top-1 accuracy`.
  public var label: String
  /// The unit as it follows a written value, such as `%` or `ms`; empty for a bare number.
  public var unit: String
  /// Which of two values is better.
  public var direction: Direction
  /// How a value is written.
  public var format: Format
  /// The least possible value, nil where there is none.
  public var minimum: Double?
  /// The largest possible value, nil where there is none.
  public var maximum: Double?

  /// A metric.
  ///
  /// - Parameters:
  ///   - name: The key in files, options and tables.
  ///   - label: What people call it, nil for the name.
  ///   - unit: The unit as it follows a written value.
  ///   - direction: Which of two values is better.
  ///   - format: How a value is written.
  ///   - minimum: The least possible value.
  ///   - maximum: The largest possible value.
  public init(
    _ name: String, label: String? = nil, unit: String = "", direction: Direction,
    format: Format, minimum: Double? = nil, maximum: Double? = nil
  ) {
    self.name = name
    self.label = label ?? name
    self.unit = unit
    self.direction = direction
    self.format = format
    self.minimum = minimum
    self.maximum = maximum
  }

  /// Whether a value is better than another one; NaN never is, and anything else is better than NaN.
  public func isBetter(_ value: Double, than other: Double) -> Bool {
    if value.isNaN { return false }
    if other.isNaN { return true }
    switch direction {
    case .lower: return value < other
    case .higher: return value > other
    }
  }

  /// A value that every possible one is better than.
  public var worst: Double { direction == .lower ? .infinity : -.infinity }

  /// What is wrong with a value, in words; nil for a possible one.
  ///
  /// The words follow the metric's name: "'error' is 101.0, not from 0 to 100 percent".
  public func defect(of value: Double) -> String? {
    if !value.isFinite { return "is \(value), not a finite number" }
    switch (minimum, maximum) {
    case (let low?, let high?) where !(low...high).contains(value):
      return "is \(value), not from \(Self.plain(low)) to \(Self.plain(high))"
        + (unit.isEmpty ? "" : " \(unit == "%" ? "percent" : unit)")
    case (let low?, nil) where value < low:
      return "is \(value), below \(Self.plain(low))"
    case (nil, let high?) where value > high:
      return "is \(value), above \(Self.plain(high))"
    default: return nil
    }
  }

  /// A value without its unit, as for a column whose head names it.
  public func number(_ value: Double) -> String {
    guard value.isFinite else { return "\(value)" }
    switch format {
    case .fixed(let decimals): return Self.fixed(value, decimals)
    case .percent(let decimals): return Self.fixed(100 * value, decimals)
    case .significant: return Self.significant(value)
    case .scaled:
      for (power, letter) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] where abs(value) >= power {
        return Self.significant(value / power) + letter
      }
      return Self.significant(value)
    case .grouped: return Self.grouped(value)
    }
  }

  /// A value with its unit: `7.52 %`, `1.5M`.
  public func text(_ value: Double) -> String {
    unit.isEmpty ? number(value) : "\(number(value)) \(unit)"
  }

  /// A value with three digits and no zeros at the end.
  package static func significant(_ value: Double) -> String {
    let magnitude = abs(value)
    var text = fixed(value, magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : 2)
    if text.contains(".") {
      while text.hasSuffix("0") { text.removeLast() }
      if text.hasSuffix(".") { text.removeLast() }
    }
    return text
  }

  private static func grouped(_ value: Double) -> String {
    var digits = Array(fixed(abs(value), 0))
    var place = digits.count - 3
    while place > 0 {
      digits.insert(",", at: place)
      place -= 3
    }
    return (value <= -0.5 ? "-" : "") + String(digits)
  }

  private static func fixed(_ value: Double, _ decimals: Int) -> String {
    NumberText.fixed(value, decimals: max(0, decimals))
  }

  /// Whole numbers without decimals.
  private static func plain(_ value: Double) -> String {
    Int(exactly: value).map(String.init) ?? "\(value)"
  }
}
