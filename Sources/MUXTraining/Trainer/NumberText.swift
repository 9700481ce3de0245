// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Numbers as people and tables like to read them.
enum NumberText {
  /// As many significant digits as asked for, such as `0.00123457`.
  static func significant(_ value: Double, digits: Int) -> String {
    String(format: "%.\(digits)g", value)
  }

  static func fixed(_ value: Double, decimals: Int) -> String {
    String(format: "%.\(decimals)f", value)
  }

  /// A share as per cent with one decimal.
  static func percent(_ share: Double, decimals: Int = 1) -> String {
    fixed(100 * share, decimals: decimals) + " %"
  }

  /// A duration such as `0:07`, `12:03` or `3:04:05`.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "–" }
    let whole = Int(max(seconds, 0).rounded())
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
  }
}
