// SPDX-License-Identifier: Apache-2.0
import Foundation

/// How much of what is done at random moments.
public enum Repeats {
  /// 1 in the tests of every commit; `MUXNET_TEST_REPEATS` asks for more (scripts/release-check).
  public static let factor: Int = {
    let text = ProcessInfo.processInfo.environment["MUXNET_TEST_REPEATS"] ?? ""
    return max(1, Int(text) ?? 1)
  }()
}
