// SPDX-License-Identifier: Apache-2.0

/// An axis of a chart: what it shows and how values become places.
public struct ChartAxis: Sendable, Hashable {
  /// How values are spread.
  public enum Scale: String, Sendable, Hashable {
    /// Equal differences take equal room.
    case linear
    /// Equal ratios take equal room; values must be above 0, others are left out.
    case logarithmic
  }

  /// What the axis shows, with its unit.
  public var title: String
  /// How values are spread.
  public var scale: Scale
  /// How numbers are written.
  public var format: AxisFormat
  /// The ends; nil to take them from the data.
  public var range: ClosedRange<Double>?

  /// An axis.
  public init(
    _ title: String, scale: Scale = .linear, format: AxisFormat = .plain,
    range: ClosedRange<Double>? = nil
  ) {
    self.title = title
    self.scale = scale
    self.format = format
    self.range = range
  }

  /// Whether the axis can show a value.
  public func shows(_ value: Double) -> Bool {
    value.isFinite && (scale == .linear || value > 0)
  }

  /// The ends for some values: the given range, or the values with a margin of 6 %.
  func domain(_ values: [Double]) -> ClosedRange<Double> {
    if let range, range.lowerBound < range.upperBound { return range }
    let shown = values.filter(shows)
    guard let low = shown.min(), let high = shown.max() else {
      return scale == .linear ? 0...1 : 1...10
    }
    switch scale {
    case .linear:
      if low == high {
        let margin = low == 0 ? 1 : abs(low) * 0.1
        return (low - margin)...(high + margin)
      }
      let margin = (high - low) * 0.06
      // Costs and shares do not run below 0 just for a margin.
      return (low >= 0 ? max(0, low - margin) : low - margin)...(high + margin)
    case .logarithmic:
      if low == high { return low / 2...high * 2 }
      let margin = Double.pow(high / low, 0.06)
      return low / margin...high * margin
    }
  }
}

/// An axis with its ends on the screen.
struct AxisProjection {
  let axis: ChartAxis
  let domain: ClosedRange<Double>
  /// The places of the lower and the upper end in pixels.
  let start: Double
  let end: Double

  func place(_ value: Double) -> Double {
    let share: Double
    switch axis.scale {
    case .linear:
      share = (value - domain.lowerBound) / (domain.upperBound - domain.lowerBound)
    case .logarithmic:
      share =
        Double.log(value / domain.lowerBound) / Double.log(domain.upperBound / domain.lowerBound)
    }
    return start + share * (end - start)
  }

  /// The values to mark, about one each `spacing` pixels.
  func ticks(spacing: Double) -> [Double] {
    let most = max(2, Int(abs(end - start) / spacing))
    return switch axis.scale {
    case .linear: Ticks.linear(domain, atMost: most)
    case .logarithmic: Ticks.logarithmic(domain, atMost: most)
    }
  }
}
