// SPDX-License-Identifier: Apache-2.0

/// How processes that a launcher of this program has started tell it why they end: codes of sysexits.h.
enum LaunchedEnding {
  /// What is asked for would fail again (`EX_CONFIG`).
  static let refused: Int32 = 78
  /// Another process was lost; it is not this one that failed (`EX_TEMPFAIL`).
  static let noticed: Int32 = 75
  /// The variable by which processes know that this program has started them.
  static let variable = "MUXNET_LAUNCHED"
}
