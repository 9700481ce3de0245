// SPDX-License-Identifier: Apache-2.0

/// Where a trial stands.
public enum TrialState: String, Sendable, Hashable, Codable, CaseIterable {
  /// Nobody works on it yet.
  case waiting
  /// A worker holds its lease.
  case running
  /// It has its objectives.
  case complete
  /// Stopped early for being hopeless; its objectives are those measured when it stopped.
  case pruned
  /// It has no objectives, and a reason why.
  case failed
  /// Its worker stopped sending heart-beats; it waits for another one.
  case stale

  /// Whether nothing more happens to it by itself.
  public var isFinished: Bool { self == .complete || self == .pruned || self == .failed }
}
