// SPDX-License-Identifier: Apache-2.0
import Foundation

extension Double {
  func fixed(_ decimals: Int) -> String { String(format: "%.\(decimals)f", self) }

  /// A share as a percentage with one decimal.
  var percent: String { (self * 100).fixed(1) + " %" }
}
