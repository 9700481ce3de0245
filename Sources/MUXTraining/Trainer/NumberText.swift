// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore

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
    Seconds.clock(seconds) ?? "–"
  }
}
