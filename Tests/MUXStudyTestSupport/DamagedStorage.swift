// SPDX-License-Identifier: Apache-2.0
import GRDB
import MUXStudies
package import MUXTestSupport

/// A storage in SQLite that a test damages as somebody who edits it might.
package enum DamagedStorage {
  /// The path of `a.db`, which has the study `tr` of four complete trials and the study `ok` of two.
  package static func sound(in folder: TemporaryFolder) throws -> String {
    let path = folder("a.db")
    let coordinator = StudyCoordinator(try SQLiteStore(path: path, access: .create))
    for (name, trials) in [("tr", 4), ("ok", 2)] {
      let study = try coordinator.create(name, try Sample.definition(trials: trials))
      try coordinator.workThrough(study, Sample.worker(1))
    }
    return path
  }

  /// Runs a statement on it.
  package static func spoil(_ path: String, _ sql: String) throws {
    try DatabaseQueue(path: path).write { try $0.execute(sql: sql) }
  }
}
