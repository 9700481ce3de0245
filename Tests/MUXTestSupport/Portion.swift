// SPDX-License-Identifier: Apache-2.0

/// How many of many like cases are tried: all in a release build (`make test`); in a debug build, where each
/// takes many times as long, a fifth. What a debug build adds, traps and other code of the compiler, every
/// fifth case meets as well.
public enum Portion {
  /// One of how many.
  public static var step: Int {
    #if DEBUG
      return 5
    #else
      return 1
    #endif
  }

  /// Some of the cases. Which ones shifts from group to group, so that none of a table's columns is left
  /// out, and with `turn`, so that tests with other turns try others.
  public static func of<Cases: Sequence>(_ cases: Cases, turn: Int = 0) -> [Cases.Element] {
    cases.enumerated().filter { isTried($0.offset, turn: turn) }.map(\.element)
  }

  /// Whether a case is among them.
  public static func isTried(_ index: Int, turn: Int = 0) -> Bool {
    (index + index / step + turn) % step == 0
  }
}
