// SPDX-License-Identifier: Apache-2.0
public import MUXCore

extension Metric {
  /// The mean loss over some images; every task has one.
  public static let loss = Metric("loss", direction: .lower, format: .fixed(decimals: 4))

  /// A value as something to be made small, in the natural scale of errors: itself where less is better,
  /// else what is missing to the best possible value, in percent.
  public func error(of value: Double) -> Double {
    direction == .lower ? value : 100 * ((maximum ?? 1) - value)
  }

  /// A value with its unit, or a dash where it is undefined.
  public func text(_ value: Double?) -> String { value.map { self.text($0) } ?? "–" }
}
