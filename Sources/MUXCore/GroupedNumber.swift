// SPDX-License-Identifier: Apache-2.0

extension BinaryInteger {
  /// The number with separated thousands: 3,354,276.
  package var grouped: String {
    var digits = Array(String(magnitude))
    var position = digits.count - 3
    while position > 0 {
      digits.insert(",", at: position)
      position -= 3
    }
    return (self < 0 ? "-" : "") + String(digits)
  }
}
