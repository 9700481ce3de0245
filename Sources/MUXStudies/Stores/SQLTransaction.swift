// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch

/// The transactions of all databases that speak SQL.
final class SQLTransaction: StudyTransaction {
  let connection: any SQLConnection
  let url: String
  /// Of the studies that were read in this transaction, what their trials have to look like.
  var shapes: [Int: (study: String, trials: TrialShape)] = [:]

  init(_ connection: any SQLConnection, url: String) {
    self.connection = connection
    self.url = url
  }

  /// Runs a statement that has to find its row, and so ends in `RETURNING`.
  func change(_ what: String, _ sql: String, _ values: [SQLValue]) throws {
    guard try !connection.run(sql, values).isEmpty else {
      throw StudyError.missing(url: url, what: what)
    }
  }

  func now() throws -> Date { try connection.now() }

  // MARK: Studies

  static let studyColumns = "id, name, created, definition, attributes, master"

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

  // MARK: Rows

  func study(_ row: SQLRow) throws -> Study {
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

  static func trial(_ row: SQLRow, of study: String) throws -> Trial {
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
  static func attributes(_ row: SQLRow) throws -> [String: String] {
    row.text("attributes") == "{}" ? [:] : try decode([String: String].self, row, "attributes")
  }

  /// The values in the order of ``trialColumns``.
  static func values(_ trial: Trial) throws -> [SQLValue] {
    [
      .integer(trial.number), .text(trial.state.rawValue), .text(try json(trial.genome)),
      .text(trial.key.description), SQLValue(trial.subproblem),
      SQLValue(try trial.objectives.map(json)), .real(trial.violation), .integer(trial.attempt),
      SQLValue(trial.worker), SQLValue(trial.leaseEnd), SQLValue(trial.created),
      SQLValue(trial.started), SQLValue(trial.finished), SQLValue(trial.finishOrder),
      .integer(trial.isTold ? 1 : 0), SQLValue(trial.reason), .text(try json(trial.attributes)),
    ]
  }

  static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  static func decode<Value: Decodable>(
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
