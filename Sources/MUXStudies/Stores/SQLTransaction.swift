// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch

/// The transactions of all databases that speak SQL.
final class SQLTransaction: StudyTransaction {
  private let connection: any SQLConnection

  init(_ connection: any SQLConnection) { self.connection = connection }

  func now() throws -> Date { try connection.now() }

  // MARK: Studies

  private static let studyColumns = "id, name, created, definition, attributes, master"

  func studies() throws -> [Study] {
    try connection.run(
      "SELECT \(Self.studyColumns) FROM muxnet_studies ORDER BY id", []
    ).map(Self.study)
  }

  func study(named name: String) throws -> Study? {
    try connection.run(
      "SELECT \(Self.studyColumns) FROM muxnet_studies WHERE name = $1", [.text(name)]
    ).first.map(Self.study)
  }

  func lock(_ study: Int) throws -> Study? {
    try connection.run(
      "SELECT \(Self.studyColumns) FROM muxnet_studies WHERE id = $1"
        + connection.dialect.rowLock, [.integer(study)]
    ).first.map(Self.study)
  }

  func insert(_ study: Study) throws -> Int {
    let row = try connection.run(
      """
      INSERT INTO muxnet_studies (name, created, definition, attributes, master)
      VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO NOTHING RETURNING id
      """,
      [
        .text(study.name), SQLValue(study.created), .text(try Self.json(study.definition)),
        .text(try Self.json(study.attributes)), SQLValue(try study.master.map(Self.json)),
      ]
    ).first
    guard let id = row?.integer("id") else { throw StudyError.studyExists(name: study.name) }
    return id
  }

  func update(_ study: Study) throws {
    _ = try connection.run(
      "UPDATE muxnet_studies SET definition = $1, attributes = $2, master = $3 WHERE id = $4",
      [
        .text(try Self.json(study.definition)), .text(try Self.json(study.attributes)),
        SQLValue(try study.master.map(Self.json)), .integer(study.id),
      ])
  }

  func delete(_ study: Int) throws {
    _ = try connection.run("DELETE FROM muxnet_studies WHERE id = $1", [.integer(study)])
  }

  // MARK: Algorithm

  func algorithm(of study: Int) throws -> AlgorithmRecord? {
    let row = try connection.run(
      "SELECT algorithm, revision FROM muxnet_studies WHERE id = $1", [.integer(study)]
    ).first
    guard let row, let text = row.text("algorithm"), let revision = row.integer("revision") else {
      return nil
    }
    return AlgorithmRecord(revision: revision, state: Data(text.utf8))
  }

  func algorithmRevision(of study: Int) throws -> Int {
    try connection.run(
      "SELECT revision FROM muxnet_studies WHERE id = $1", [.integer(study)]
    ).first?.integer("revision") ?? 0
  }

  func save(_ record: AlgorithmRecord, of study: Int) throws {
    _ = try connection.run(
      "UPDATE muxnet_studies SET algorithm = $1, revision = $2 WHERE id = $3",
      [
        .text(String(decoding: record.state, as: UTF8.self)), .integer(record.revision),
        .integer(study),
      ])
  }

  // MARK: Trials

  private static let trialColumns = """
    number, state, genome, key, subproblem, objectives, violation, attempt, worker, lease_end, \
    created, started, finished, finish_order, told, reason, attributes
    """

  func trials(of study: Int, in states: [TrialState], limit: Int?) throws -> [Trial] {
    // The names of states are our own constants, so they may stand in the text.
    let filter =
      states.isEmpty
      ? "" : " AND state IN (\(states.map { "'\($0.rawValue)'" }.joined(separator: ", ")))"
    return try select("study = $1\(filter)", [.integer(study)], order: "number", limit: limit)
  }

  func trial(_ number: Int, of study: Int) throws -> Trial? {
    try select("study = $1 AND number = $2", [.integer(study), .integer(number)]).first
  }

  func finishedTrials(of study: Int, from order: Int) throws -> [Trial] {
    try select(
      "study = $1 AND finish_order >= $2", [.integer(study), .integer(order)],
      order: "finish_order")
  }

  func untoldTrials(of study: Int) throws -> [Trial] {
    try select(
      "study = $1 AND told = 0 AND finish_order IS NOT NULL", [.integer(study)],
      order: "finish_order")
  }

  func counts(of study: Int) throws -> [TrialState: Int] {
    let rows = try connection.run(
      "SELECT state, COUNT(*) AS count FROM muxnet_trials WHERE study = $1 GROUP BY state",
      [.integer(study)])
    return rows.reduce(into: [:]) { counts, row in
      guard let state = row.text("state").flatMap(TrialState.init) else { return }
      counts[state] = row.integer("count")
    }
  }

  private func select(
    _ condition: String, _ values: [SQLValue], order: String = "number", limit: Int? = nil
  ) throws -> [Trial] {
    try connection.run(
      "SELECT \(Self.trialColumns) FROM muxnet_trials WHERE \(condition) ORDER BY \(order)"
        + (limit.map { " LIMIT \($0)" } ?? ""), values
    ).map(Self.trial)
  }

  func insert(_ trial: Trial, into study: Int) throws {
    _ = try connection.run(
      """
      INSERT INTO muxnet_trials (\(Self.trialColumns), study)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
      """,
      try Self.values(trial) + [.integer(study)])
  }

  func update(_ trial: Trial, of study: Int) throws {
    _ = try connection.run(
      """
      UPDATE muxnet_trials SET state = $2, genome = $3, key = $4, subproblem = $5,
        objectives = $6, violation = $7, attempt = $8, worker = $9, lease_end = $10, created = $11,
        started = $12, finished = $13, finish_order = $14, told = $15, reason = $16,
        attributes = $17
      WHERE number = $1 AND study = $18
      """,
      try Self.values(trial) + [.integer(study)])
  }

  // MARK: Reports

  func reports(of study: Int, resource: Int?, trial: Int?) throws -> [TrialReport] {
    var condition = "study = $1"
    var values: [SQLValue] = [.integer(study)]
    for (column, value) in [("resource", resource), ("trial", trial)] {
      guard let value else { continue }
      values.append(.integer(value))
      condition += " AND \(column) = $\(values.count)"
    }
    return try connection.run(
      "SELECT trial, resource, objectives FROM muxnet_reports WHERE \(condition) ORDER BY id",
      values
    ).map { row in
      TrialReport(
        trial: row.integer("trial") ?? 0, resource: row.integer("resource") ?? 0,
        objectives: try Self.decode([Double].self, row, "objectives"))
    }
  }

  func insert(_ report: TrialReport, into study: Int) throws {
    _ = try connection.run(
      """
      INSERT INTO muxnet_reports (study, trial, resource, objectives) VALUES ($1, $2, $3, $4)
      ON CONFLICT (study, trial, resource) DO NOTHING
      """,
      [
        .integer(study), .integer(report.trial), .integer(report.resource),
        .text(try Self.json(report.objectives)),
      ])
  }

  // MARK: Rows

  private static func study(_ row: SQLRow) throws -> Study {
    let name = row.text("name") ?? ""
    do {
      return Study(
        id: row.integer("id") ?? 0, name: name, created: row.date("created") ?? .distantPast,
        definition: try decode(StudyDefinition.self, row, "definition"),
        attributes: try decode([String: String].self, row, "attributes"),
        master: try row.text("master") == nil ? nil : decode(MasterLease.self, row, "master"))
    } catch {
      throw StudyError.damagedStudy(
        name: name, reason: "its definition is not one that this muxnet understands")
    }
  }

  private static func trial(_ row: SQLRow) throws -> Trial {
    let number = row.integer("number") ?? 0
    guard let state = row.text("state").flatMap(TrialState.init),
      let key = row.text("key").flatMap(ArchitectureKey.init(hexadecimal:))
    else {
      throw StudyError.damagedStudy(name: "", reason: "trial \(number) has an unknown state or key")
    }
    var trial = Trial(
      number: number, state: state, genome: try decode(Genome.self, row, "genome"), key: key,
      subproblem: row.integer("subproblem"), created: row.date("created") ?? .distantPast)
    trial.objectives =
      try row.text("objectives") == nil ? nil : decode([Double].self, row, "objectives")
    trial.violation = row.real("violation") ?? 0
    trial.attempt = row.integer("attempt") ?? 0
    trial.worker = row.text("worker")
    trial.leaseEnd = row.date("lease_end")
    trial.started = row.date("started")
    trial.finished = row.date("finished")
    trial.finishOrder = row.integer("finish_order")
    trial.isTold = row.integer("told") == 1
    trial.reason = row.text("reason")
    trial.attributes = try decode([String: String].self, row, "attributes")
    return trial
  }

  /// The values in the order of ``trialColumns``.
  private static func values(_ trial: Trial) throws -> [SQLValue] {
    [
      .integer(trial.number), .text(trial.state.rawValue), .text(try json(trial.genome)),
      .text(trial.key.description), SQLValue(trial.subproblem),
      SQLValue(try trial.objectives.map(json)), .real(trial.violation), .integer(trial.attempt),
      SQLValue(trial.worker), SQLValue(trial.leaseEnd), SQLValue(trial.created),
      SQLValue(trial.started), SQLValue(trial.finished), SQLValue(trial.finishOrder),
      .integer(trial.isTold ? 1 : 0), SQLValue(trial.reason), .text(try json(trial.attributes)),
    ]
  }

  private static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  private static func decode<Value: Decodable>(
    _ type: Value.Type, _ row: SQLRow, _ column: String
  ) throws -> Value {
    try JSONDecoder().decode(type, from: Data((row.text(column) ?? "").utf8))
  }
}

extension ArchitectureKey {
  /// Reads the 32 digits of ``ArchitectureKey/description``.
  init?(hexadecimal text: String) {
    guard text.utf8.count == 32, let high = UInt64(text.prefix(16), radix: 16),
      let low = UInt64(text.suffix(16), radix: 16)
    else { return nil }
    self.init(high: high, low: low)
  }
}
