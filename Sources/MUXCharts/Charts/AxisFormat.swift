// SPDX-License-Identifier: Apache-2.0

/// How the numbers of an axis are written.
public enum AxisFormat: Sendable, Hashable {
  /// As they are, with as few decimals as tell them apart.
  case plain
  /// In thousands, millions and billions: 300M.
  case metric
  /// Shares from 0 to 1 as percentages.
  case percent

  /// A number as the axis writes it, such as 300M or 12 %.
  public func text(_ value: Double) -> String {
    switch self {
    case .plain: return Self.trimmed(value)
    case .percent: return Self.trimmed(value * 100) + " %"
    case .metric:
      let size = abs(value)
      for (unit, letter) in [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")]
      where size >= unit * 0.9999999 {
        return Self.trimmed(value / unit) + letter
      }
      return Self.trimmed(value)
    }
  }

  /// Up to six significant digits, without trailing zeros: floating-point dust disappears.
  static func trimmed(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "–" : value > 0 ? "∞" : "−∞" }
    let size = abs(value)
    if size < 1e-12 { return "0" }
    if size >= 1e15 { return "\(value)" }
    var decimals = 0
    var step = 1.0
    while decimals < 9, size * step < 1e5,
      abs((size * step).rounded() - size * step) > 1e-6 * size * step
    {
      decimals += 1
      step *= 10
    }
    let digits = Int((size * step).rounded())
    let whole = digits / Int(step)
    var text = "\(whole)"
    if decimals > 0 {
      var rest = String(digits % Int(step))
      rest = String(repeating: "0", count: decimals - rest.count) + rest
      while rest.hasSuffix("0") { rest.removeLast() }
      if !rest.isEmpty { text += "." + rest }
    }
    return value < 0 ? "−" + text : text
  }
}
