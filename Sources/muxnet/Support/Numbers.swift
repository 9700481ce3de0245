// SPDX-License-Identifier: Apache-2.0
import Foundation

extension BinaryInteger {
  /// The number with separated thousands: 3,354,276.
  var grouped: String {
    var digits = Array(String(magnitude))
    var position = digits.count - 3
    while position > 0 {
      digits.insert(",", at: position)
      position -= 3
    }
    return (self < 0 ? "-" : "") + String(digits)
  }
}

extension Double {
  /// The number with a fixed number of decimals.
  func fixed(_ decimals: Int) -> String { String(format: "%.\(decimals)f", self) }

  /// A share as a percentage with one decimal.
  var percent: String { (self * 100).fixed(1) + " %" }
}
