// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// A search that outlives the processes that work on it.
public struct Study: Sendable, Hashable, Codable {
  /// The storage's number of the study; never used again, also after it is deleted.
  public var id: Int
  /// The name that users give.
  public var name: String
  /// When it was made.
  public var created: Date
  /// What is searched for, and how.
  public var definition: StudyDefinition
  /// Whatever users want to remember.
  public var attributes: [String: String]
  /// Who drives it at the moment.
  public var master: MasterLease?

  /// A study; the storage gives the number.
  public init(
    id: Int = 0, name: String, created: Date, definition: StudyDefinition,
    attributes: [String: String] = [:], master: MasterLease? = nil
  ) {
    self.id = id
    self.name = name
    self.created = created
    self.definition = definition
    self.attributes = attributes
    self.master = master
  }
}

/// A study by its number and name alone, which is all that can be known of a damaged one.
public struct StudyEntry: Sendable, Hashable {
  /// The storage's number of the study.
  public var id: Int
  /// The name that users give.
  public var name: String

  /// An entry.
  public init(id: Int, name: String) {
    self.id = id
    self.name = name
  }
}

/// The right to start workers for a study; one process has it at a time.
public struct MasterLease: Sendable, Hashable, Codable {
  /// The process, unique among all machines.
  public var holder: ProcessIdentity
  /// Until when it holds without another heart-beat.
  public var end: Date

  /// A lease.
  public init(holder: ProcessIdentity, end: Date) {
    self.holder = holder
    self.end = end
  }
}

/// The saved state of a study's algorithm.
public struct AlgorithmRecord: Sendable, Hashable {
  /// Counts the changes, so that a copy in memory is known to be fresh.
  public var revision: Int
  /// What the algorithm saved.
  public var state: Data

  /// A record.
  public init(revision: Int, state: Data) {
    self.revision = revision
    self.state = state
  }
}
