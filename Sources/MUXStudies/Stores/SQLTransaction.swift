// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch

/// The transactions of all databases that speak SQL.
final class SQLTransaction: StudyTransaction {
  private let connection: any SQLConnection
  private let url: String
  /// Of the studies that were read in this transaction, what their trials have to look like.
  private var shapes: [Int: (study: String, trials: TrialShape)] = [:]

  init(_ connection: any SQLConnection, url: String) {
    self.connection = connection
    self.url = url
  }

  /// Runs a statement that has to find its row, and so ends in `RETURNING`.
  private func change(_ what: String, _ sql: String, _ values: [SQLValue]) throws {
    guard try !connection.run(sql, values).isEmpty else {
      throw StudyError.missing(url: url, what: what)
    }
  }

  func now() throws -> Date { try connection.now() }

  // MARK: Studies

  private static let studyColumns = "id, name, created, definition, attributes, master"

  func studies() throws -> [Study] {
    try connection.run(
      "SELECT \(Self.studyColumns) FROM muxnet_studies ORDER BY id", []
    ).map(self.study)
  }

  func studyEntries() throws -> [StudyEntry] {
    try connection.run("SELECT id, name FROM muxnet_studies ORDER BY id", []).compactMap { row in
      guard let id = row.integer("id"), let name = row.text("name") else { return nil }
      return StudyEntry(id: id, name: name)
    }
  }

  func study(named name: String) throws -> Study? {
    try connection.run(
      "SELECT \(Self.studyColumns) FROM muxnet_studies WHERE name = $1", [.text(name)]
    ).first.map(self.study)
  }

  func lock(_ study: Int) throws -> Study? {
    try connection.run(
      "SELECT \(Self.studyColumns) FROM muxnet_studies WHERE id = $1"
        + connection.dialect.rowLock, [.integer(study)]
    ).first.map(self.study)
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
    try change(
      "study '\(study.name)'",
      "UPDATE muxnet_studies SET definition = $1, attributes = $2, master = $3, name = $5"
        + " WHERE id = $4 RETURNING id",
      [
        .text(try Self.json(study.definition)), .text(try Self.json(study.attributes)),
        SQLValue(try study.master.map(Self.json)), .integer(study.id), .text(study.name),
      ])
  }

  func delete(_ study: Int) throws {
    _ = try connection.run("DELETE FROM muxnet_studies WHERE id = $1", [.integer(study)])
  }

  // MARK: Algorithm

  func algorithm(of study: Int) throws -> AlgorithmRecord? {
    let row = try connection.run(
      "SELECT state, revision FROM muxnet_states WHERE study = $1", [.integer(study)]
    ).first
    guard let row, let text = row.text("state"), let revision = row.integer("revision") else {
      return nil
    }
    return AlgorithmRecord(revision: revision, state: Data(text.utf8))
  }

  func algorithmStateRevision(of study: Int) throws -> Int {
    try connection.run(
      "SELECT revision FROM muxnet_states WHERE study = $1", [.integer(study)]
    ).first?.integer("revision") ?? 0
  }

  func algorithmRevision(of study: Int) throws -> Int {
    try connection.run(
      "SELECT revision FROM muxnet_studies WHERE id = $1", [.integer(study)]
    ).first?.integer("revision") ?? 0
  }

  func save(_ record: AlgorithmRecord, of study: Int) throws {
    let saved = try algorithmStateRevision(of: study)
    try setRevision(max(record.revision, try algorithmRevision(of: study)), of: study)
    guard record.revision > saved else { return }
    _ = try connection.run(
      """
      INSERT INTO muxnet_states (study, revision, state) VALUES ($1, $2, $3)
      ON CONFLICT (study) DO UPDATE SET revision = excluded.revision, state = excluded.state
      """,
      [
        .integer(study), .integer(record.revision),
        .text(String(decoding: record.state, as: UTF8.self)),
      ])
    _ = try connection.run(
      "DELETE FROM muxnet_steps WHERE study = $1 AND revision <= $2",
      [.integer(study), .integer(record.revision)])
  }

  func append(_ step: AlgorithmStep, of study: Int) throws {
    let last = try algorithmRevision(of: study)
    try setRevision(step.revision, of: study)
    guard step.revision == last + 1 else {
      throw StudyError.database(url: url, reason: "step \(step.revision) does not follow \(last)")
    }
    _ = try connection.run(
      "INSERT INTO muxnet_steps (study, revision, step) VALUES ($1, $2, $3)",
      [.integer(study), .integer(step.revision), .text(try Self.json(step))])
  }

  private func setRevision(_ revision: Int, of study: Int) throws {
    try change(
      "study \(study)", "UPDATE muxnet_studies SET revision = $1 WHERE id = $2 RETURNING id",
      [.integer(revision), .integer(study)])
  }

  func algorithmSteps(of study: Int, after revision: Int) throws -> [AlgorithmStep] {
    try connection.run(
      "SELECT step FROM muxnet_steps WHERE study = $1 AND revision > $2 ORDER BY revision",
      [.integer(study), .integer(revision)]
    ).map { row in
      guard let step = try? Self.decode(AlgorithmStep.self, row, "step") else {
        throw StudyError.damagedStudy(
          name: try shape(of: study)?.study ?? "",
          reason: "a step of its algorithm is not one that this muxnet understands")
      }
      return step
    }
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
    return try select(study, "study = $1\(filter)", limit: limit)
  }

  func trial(_ number: Int, of study: Int) throws -> Trial? {
    try select(study, "study = $1 AND number = $2", [.integer(number)]).first
  }

  func runningTrials(of study: Int) throws -> [RunningTrial] {
    try connection.run(
      "SELECT number, worker, lease_end, attributes FROM muxnet_trials"
        + " WHERE study = $1 AND state = '\(TrialState.running.rawValue)' ORDER BY number",
      [.integer(study)]
    ).map { row in
      guard let number = row.integer("number"),
        let attributes = try? Self.attributes(row),
        row.real("lease_end").map(TrialShape.seconds.contains) ?? true
      else {
        throw StudyError.damagedTrial(
          study: try shape(of: study)?.study ?? "", number: row.integer("number") ?? 0,
          reason: "its lease is not one that this muxnet understands")
      }
      return RunningTrial(
        number: number, worker: row.text("worker"), leaseEnd: row.date("lease_end"),
        heldSeconds: Trial.heldSeconds(attributes))
    }
  }

  func finishedTrials(of study: Int, from order: Int) throws -> [Trial] {
    try select(
      study, "study = $1 AND finish_order >= $2", [.integer(order)], order: "finish_order")
  }

  func untoldTrials(of study: Int) throws -> [Trial] {
    try select(
      study, "study = $1 AND told = 0 AND finish_order IS NOT NULL", order: "finish_order")
  }

  func counts(of study: Int) throws -> [TrialState: Int] {
    Self.counts(
      try connection.run(
        "SELECT state, COUNT(*) AS count FROM muxnet_trials WHERE study = $1 GROUP BY state",
        [.integer(study)]))
  }

  func openCounts(of study: Int) throws -> [TrialState: Int] {
    let states = TrialState.allCases.filter { !$0.isFinished }.map { "'\($0.rawValue)'" }
    return Self.counts(
      try connection.run(
        "SELECT state, COUNT(*) AS count FROM muxnet_trials WHERE study = $1"
          + " AND state IN (\(states.joined(separator: ", "))) GROUP BY state", [.integer(study)]))
  }

  private static func counts(_ rows: [SQLRow]) -> [TrialState: Int] {
    rows.reduce(into: [:]) { counts, row in
      guard let state = row.text("state").flatMap(TrialState.init) else { return }
      counts[state] = row.integer("count")
    }
  }

  func totals(of study: Int) throws -> (trials: Int, finished: Int) {
    // Two look-ups in indexes, however many trials there are.
    let row = try connection.run(
      """
      SELECT (SELECT MAX(number) FROM muxnet_trials WHERE study = $1) AS number,
        (SELECT MAX(finish_order) FROM muxnet_trials WHERE study = $1) AS place
      """, [.integer(study)]
    ).first
    // A damaged row may have any number.
    func count(_ column: String) -> Int {
      let (count, overflows) = (row?.integer(column) ?? -1).addingReportingOverflow(1)
      return overflows ? .max : count
    }
    return (count("number"), count("place"))
  }

  /// Trials of a study, which is `$1` in the condition.
  private func select(
    _ study: Int, _ condition: String, _ values: [SQLValue] = [], order: String = "number",
    limit: Int? = nil
  ) throws -> [Trial] {
    let rows = try connection.run(
      "SELECT \(Self.trialColumns) FROM muxnet_trials WHERE \(condition) ORDER BY \(order)"
        + (limit.map { " LIMIT \($0)" } ?? ""), [.integer(study)] + values)
    guard !rows.isEmpty, let shape = try shape(of: study) else { return [] }
    return try rows.map { row in
      let trial = try Self.trial(row, of: shape.study)
      if let defect = shape.trials.defect(of: trial) {
        throw StudyError.damagedTrial(study: shape.study, number: trial.number, reason: defect)
      }
      return trial
    }
  }

  /// What the trials of a study have to look like; nil if there is no such study.
  private func shape(of study: Int) throws -> (study: String, trials: TrialShape)? {
    if shapes[study] == nil {
      _ = try connection.run(
        "SELECT \(Self.studyColumns) FROM muxnet_studies WHERE id = $1", [.integer(study)]
      ).first.map(self.study)
    }
    return shapes[study]
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
    try change(
      "trial \(trial.number) of study \(study)",
      """
      UPDATE muxnet_trials SET state = $2, genome = $3, key = $4, subproblem = $5,
        objectives = $6, violation = $7, attempt = $8, worker = $9, lease_end = $10, created = $11,
        started = $12, finished = $13, finish_order = $14, told = $15, reason = $16,
        attributes = $17
      WHERE number = $1 AND study = $18 RETURNING number
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
      let trial = row.integer("trial") ?? 0
      // Left for early stopping alone, which finds a wrong number of objectives by itself.
      guard let objectives = try? Self.decode([Double].self, row, "objectives") else {
        throw StudyError.damagedTrial(
          study: try shape(of: study)?.study ?? "", number: trial,
          reason: "a report of its training is not one that this muxnet understands")
      }
      return TrialReport(
        trial: trial, resource: row.integer("resource") ?? 0, objectives: objectives)
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

  private func study(_ row: SQLRow) throws -> Study {
    let name = row.text("name") ?? ""
    func part<Value: Decodable>(_ type: Value.Type, _ column: String) throws -> Value {
      do {
        return try Self.decode(type, row, column)
      } catch {
        throw StudyError.damagedStudy(
          name: name, reason: "its \(column) is not one that this muxnet understands")
      }
    }
    let definition: KnownDefinitions.Entry
    do {
      definition = try KnownDefinitions.entry(row.text("definition") ?? "") {
        try Self.decode(StudyDefinition.self, row, "definition")
      }
    } catch {
      throw StudyError.damagedStudy(
        name: name, reason: "its definition is not one that this muxnet understands")
    }
    let study = Study(
      id: row.integer("id") ?? 0, name: name,
      created: row.date("created") ?? Date(timeIntervalSince1970: -1),
      definition: definition.definition,
      attributes: try part([String: String].self, "attributes"),
      master: try row.text("master") == nil ? nil : part(MasterLease.self, "master"))
    if let defect = definition.defect {
      throw StudyError.damagedStudy(name: name, reason: defect)
    }
    if !TrialShape.seconds.contains(study.created.timeIntervalSince1970) {
      throw StudyError.damagedStudy(name: name, reason: "its creation time is not a date")
    }
    shapes[study.id] = definition.shape.map { (name, $0) }
    return study
  }

  private static func trial(_ row: SQLRow, of study: String) throws -> Trial {
    let number = row.integer("number") ?? 0
    func damage(_ column: String) -> StudyError {
      .damagedTrial(
        study: study, number: number,
        reason: "its \(column) is not one that this muxnet understands")
    }
    func part<Value: Decodable>(_ type: Value.Type, _ column: String) throws -> Value {
      do { return try decode(type, row, column) } catch { throw damage(column) }
    }
    guard let state = row.text("state").flatMap(TrialState.init) else { throw damage("state") }
    guard let key = row.text("key").flatMap(ArchitectureKey.init(hexadecimal:)) else {
      throw damage("key")
    }
    var trial = Trial(
      number: number, state: state,
      genome: try row.text("genome").flatMap(PlainNumbers.integers).map(Genome.init)
        ?? part(Genome.self, "genome"),
      key: key,
      subproblem: row.integer("subproblem"),
      created: row.date("created") ?? Date(timeIntervalSince1970: -1))
    if let text = row.text("objectives") {
      trial.objectives = try PlainNumbers.reals(text) ?? part([Double].self, "objectives")
    }
    trial.violation = row.real("violation") ?? 0
    trial.attempt = row.integer("attempt") ?? 0
    trial.worker = row.text("worker")
    trial.leaseEnd = row.date("lease_end")
    trial.started = row.date("started")
    trial.finished = row.date("finished")
    trial.finishOrder = row.integer("finish_order")
    trial.isTold = row.integer("told") == 1
    trial.reason = row.text("reason")
    do { trial.attributes = try attributes(row) } catch { throw damage("attributes") }
    return trial
  }

  /// Attributes, of which most trials have none.
  private static func attributes(_ row: SQLRow) throws -> [String: String] {
    row.text("attributes") == "{}" ? [:] : try decode([String: String].self, row, "attributes")
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
