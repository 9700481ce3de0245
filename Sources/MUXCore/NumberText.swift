// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Numbers as people and tables like to read them.
package enum NumberText {
  /// As many significant digits as asked for, such as `0.00123457`.
  package static func significant(_ value: Double, digits: Int) -> String {
    String(format: "%.\(digits)g", value)
  }

  /// A number with a point, whatever the language of the system is.
  package static func fixed(_ value: Double, decimals: Int) -> String {
    String(format: "%.\(decimals)f", value)
  }

  /// A share as per cent, such as `12.3 %` for 0.123.
  package static func percent(_ share: Double, decimals: Int = 1) -> String {
    fixed(100 * share, decimals: decimals) + " %"
  }

  /// A duration such as `0:07`, `12:03` or `3:04:05`.
  package static func duration(_ seconds: Double) -> String {
    Seconds.clock(seconds) ?? "–"
  }
}
