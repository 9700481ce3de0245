// SPDX-License-Identifier: Apache-2.0

/// How processes that a launcher of this program has started tell it why they end: codes of sysexits.h.
enum LaunchedEnding {
  /// What is asked for would fail again (`EX_CONFIG`).
  static let refused: Int32 = 78
  /// Another process was lost; it is not this one that failed (`EX_TEMPFAIL`).
  static let noticed: Int32 = 75
  /// All that `muxnet node` has started on its host ended well. Not 0, by which any other program that the
  /// host's shell starts in its place would seem to have done the work.
  static let nodeDone: Int32 = 83
  /// What a host whose shell started another program is said to end with.
  static let noNode: Int32 = 126
  /// Says so, behind the host's name.
  static let noNodeText = "has not started muxnet (does --remote-program name it there?)"
  /// The variable by which processes know that this program has started them.
  static let variable = "MUXNET_LAUNCHED"
}
