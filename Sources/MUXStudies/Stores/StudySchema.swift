// SPDX-License-Identifier: Apache-2.0

/// The tables of a storage, version by version. Names begin with `muxnet_`, so that a database may be
/// shared with other programs.
enum StudySchema {
  /// The version that this program writes.
  static var version: Int { steps.count }

  /// What leads from version n to version n + 1. Steps are never changed, only added.
  static let steps: [@Sendable (SQLDialect) -> [String]] = [
    { dialect in
      [
        """
        CREATE TABLE muxnet_studies (
          id \(dialect.identity), name TEXT NOT NULL UNIQUE, created DOUBLE PRECISION NOT NULL,
          definition TEXT NOT NULL, attributes TEXT NOT NULL, algorithm TEXT,
          revision BIGINT NOT NULL DEFAULT 0, master TEXT)
        """,
        """
        CREATE TABLE muxnet_trials (
          study BIGINT NOT NULL REFERENCES muxnet_studies(id) ON DELETE CASCADE,
          number BIGINT NOT NULL, state TEXT NOT NULL, genome TEXT NOT NULL, key TEXT NOT NULL,
          subproblem BIGINT, objectives TEXT, violation DOUBLE PRECISION NOT NULL,
          attempt BIGINT NOT NULL, worker TEXT, lease_end DOUBLE PRECISION,
          created DOUBLE PRECISION NOT NULL, started DOUBLE PRECISION, finished DOUBLE PRECISION,
          finish_order BIGINT, told BIGINT NOT NULL, reason TEXT, attributes TEXT NOT NULL,
          PRIMARY KEY (study, number), UNIQUE (study, key), UNIQUE (study, finish_order))
        """,
        "CREATE INDEX muxnet_trials_by_state ON muxnet_trials (study, state, number)",
      ]
    },
    { dialect in
      // Reports of evaluations under way, for early stopping.
      [
        """
        CREATE TABLE muxnet_reports (
          id \(dialect.identity),
          study BIGINT NOT NULL REFERENCES muxnet_studies(id) ON DELETE CASCADE,
          trial BIGINT NOT NULL, resource BIGINT NOT NULL, objectives TEXT NOT NULL,
          UNIQUE (study, trial, resource))
        """,
        "CREATE INDEX muxnet_trials_untold ON muxnet_trials (study, told, finish_order)",
      ]
    },
    { _ in
      // The algorithm as a state now and then, in a table of its own so that a study's row stays
      // small, and a step for each ask.
      [
        """
        CREATE TABLE muxnet_states (
          study BIGINT NOT NULL PRIMARY KEY REFERENCES muxnet_studies(id) ON DELETE CASCADE,
          revision BIGINT NOT NULL, state TEXT NOT NULL)
        """,
        """
        CREATE TABLE muxnet_steps (
          study BIGINT NOT NULL REFERENCES muxnet_studies(id) ON DELETE CASCADE,
          revision BIGINT NOT NULL, step TEXT NOT NULL, PRIMARY KEY (study, revision))
        """,
        """
        INSERT INTO muxnet_states (study, revision, state)
          SELECT id, revision, algorithm FROM muxnet_studies WHERE algorithm IS NOT NULL
        """,
        "UPDATE muxnet_studies SET algorithm = NULL",
      ]
    },
  ]

  /// The oldest version that can be read as it is.
  static let oldestReadable = 2

  /// The version of a storage; 0 where there is no table of ours.
  ///
  /// - Throws: ``StudyError/corrupt(url:reason:)`` where the table does not say one version: no program
  ///   leaves it so, and to make the tables anew could only fail.
  static func version(of connection: any SQLConnection, exists: Bool, url: String) throws -> Int {
    guard exists else { return 0 }
    let rows = try connection.run("SELECT version FROM muxnet_schema LIMIT 2", [])
    guard rows.count == 1 else {
      throw StudyError.corrupt(
        url: url,
        reason: rows.isEmpty ? "it does not say its version" : "it says more than one version")
    }
    guard let version = rows[0].integer("version"), version > 0 else {
      throw StudyError.corrupt(
        url: url, reason: "its version is \((rows[0].text("version") ?? "NULL").prefix(40))")
    }
    return version
  }

  /// Brings a storage up to date, in a transaction that no other process can enter.
  ///
  /// - Throws: ``StudyError/schemaTooNew(url:found:known:)``.
  static func migrate(
    _ connection: any SQLConnection, exists: Bool, url: String
  ) throws {
    let found = try version(of: connection, exists: exists, url: url)
    try check(found, url: url, canMigrate: true)
    guard found < version else { return }
    if !exists {
      _ = try connection.run("CREATE TABLE muxnet_schema (version BIGINT NOT NULL)", [])
      _ = try connection.run("INSERT INTO muxnet_schema (version) VALUES (0)", [])
    }
    for step in steps[found...] {
      for statement in step(connection.dialect) { _ = try connection.run(statement, []) }
    }
    _ = try connection.run("UPDATE muxnet_schema SET version = $1", [.integer(version)])
  }

  /// Checks the version before a transaction: another program may have raised it since the start.
  ///
  /// - Throws: ``StudyError`` where this program cannot work with it any more.
  static func checkUnchanged(_ connection: any SQLConnection, url: String) throws {
    try check(try version(of: connection, exists: true, url: url), url: url, canMigrate: false)
  }

  /// - Throws: ``StudyError`` where this program cannot work with a version.
  static func check(_ found: Int, url: String, canMigrate: Bool) throws {
    if found > version {
      throw StudyError.schemaTooNew(url: url, found: found, known: version)
    }
    if found < oldestReadable, !canMigrate {
      throw StudyError.schemaTooOld(url: url, found: found, known: version)
    }
  }
}
