// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Round values for the marks of axes.
public enum Ticks {
  /// Multiples of 1, 2, 2.5 or 5 times a power of ten inside the range, at most `count` of them and
  /// as many as that allows.
  public static func linear(_ range: ClosedRange<Double>, atMost count: Int) -> [Double] {
    let span = range.upperBound - range.lowerBound
    guard span > 0, span.isFinite, count > 0 else { return [range.lowerBound] }
    var power = Foundation.pow(10, (Foundation.log10(span / Double(count))).rounded(.down))
    while true {
      for factor in [1, 2, 2.5, 5] {
        let step = power * factor
        // A hair's width for ends that are round but for floating-point dust.
        let first = (range.lowerBound / step - 1e-9).rounded(.up)
        let last = (range.upperBound / step + 1e-9).rounded(.down)
        if last - first + 1 <= Double(count) {
          guard last >= first else { return [] }
          return (0...Int(last - first)).map { (first + Double($0)) * step }
        }
      }
      power *= 10
    }
  }

  /// Powers of ten, with 3, with 2 and 5, or with more between them as room allows; on short ranges
  /// multiples of one step.
  public static func logarithmic(_ range: ClosedRange<Double>, atMost count: Int) -> [Double] {
    guard range.lowerBound > 0, range.upperBound.isFinite, count > 0 else { return [] }
    let low = Foundation.log10(range.lowerBound).rounded(.down)
    let high = Foundation.log10(range.upperBound).rounded(.up)
    var best: [Double] = []
    for mantissas in [[1], [1, 3], [1, 2, 5], [1, 2, 3, 5], [1, 1.5, 2, 3, 4, 5, 7]] as [[Double]] {
      let values = (Int(low)...Int(high)).flatMap { exponent in
        mantissas.map { $0 * Foundation.pow(10, Double(exponent)) }
      }
      let inside = values.filter {
        $0 >= range.lowerBound * (1 - 1e-9) && $0 <= range.upperBound * (1 + 1e-9)
      }
      if inside.count <= count, inside.count > best.count { best = inside }
    }
    if best.count >= 3 { return best }
    if range.upperBound / range.lowerBound < 10 { return linear(range, atMost: count) }
    // Many decades in little room: every second, third … power.
    let exponents = (Int(low)...Int(high)).filter {
      let value = Foundation.pow(10, Double($0))
      return value >= range.lowerBound * (1 - 1e-9) && value <= range.upperBound * (1 + 1e-9)
    }
    guard exponents.count > count else { return best }
    let step = (exponents.count + count - 1) / count
    return exponents.enumerated().filter { $0.offset % step == 0 }
      .map { Foundation.pow(10, Double($0.element)) }
  }
}

extension Double {
  static func log(_ value: Double) -> Double { Foundation.log(value) }
  static func pow(_ base: Double, _ exponent: Double) -> Double { Foundation.pow(base, exponent) }
}
