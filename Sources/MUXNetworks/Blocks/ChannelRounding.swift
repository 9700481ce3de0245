// SPDX-License-Identifier: Apache-2.0

/// MobileNet's rule for widths that are no whole numbers.
enum ChannelRounding {
  /// The multiple of `divisor` that is nearest to an exact width, at least `divisor`, and not below
  /// 90 % of the exact width. A width beyond all bounds becomes one that a network refuses.
  static func rounded(_ exact: Double, to divisor: Int) -> Int {
    let divisor = min(max(1, divisor), Limits.setting)
    let rounded = max(divisor, whole(exact + Double(divisor) / 2) / divisor * divisor)
    return Double(rounded) < 0.9 * exact && rounded < Limits.setting ? rounded + divisor : rounded
  }

  /// A width without its fraction.
  static func whole(_ exact: Double) -> Int {
    exact < Double(2 * Limits.setting) ? max(0, Int(exact)) : 2 * Limits.setting
  }
}
