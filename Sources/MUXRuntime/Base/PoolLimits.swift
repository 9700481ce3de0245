// SPDX-License-Identifier: Apache-2.0

/// What a pool of engines may be asked for.
enum PoolLimits {
  static let engines = 1...1024
  /// Images of a batch.
  static let images = 1...1024
  /// Seconds that a call may wait for others to share its batch.
  static let seconds = 0.0...60.0
}
