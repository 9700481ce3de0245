// SPDX-License-Identifier: Apache-2.0
import MUXCore

extension Double {
  func fixed(_ decimals: Int) -> String { NumberText.fixed(self, decimals: decimals) }

  /// A share as a percentage with one decimal.
  var percent: String { NumberText.percent(self) }
}
