// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The definitions of studies by their texts. Every transaction on a study reads its definition, which takes
/// longer than all else in it and gives the same each time.
enum KnownDefinitions {
  /// A definition with what follows from it.
  struct Entry: Sendable {
    let definition: StudyDefinition
    /// What is wrong with it, in words.
    let defect: String?
    /// What trials have to look like; nil where the definition cannot be.
    let shape: TrialShape?
  }

  private static let known = Mutex<[String: Entry]>([:])
  private static let most = 256

  /// The definition of a text, which `decode` reads where it was not read before.
  static func entry(
    _ text: String, _ decode: () throws -> StudyDefinition
  ) throws -> Entry {
    if let entry = known.withLock({ $0[text] }) { return entry }
    let definition = try decode()
    let defect = definition.defect
    let entry = Entry(
      definition: definition, defect: defect, shape: defect == nil ? TrialShape(definition) : nil)
    known.withLock { known in
      if known.count >= most { known = [:] }
      known[text] = entry
    }
    return entry
  }
}
