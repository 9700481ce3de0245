// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch

extension SQLTransaction {
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
  func select(
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
  func shape(of study: Int) throws -> (study: String, trials: TrialShape)? {
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
}
