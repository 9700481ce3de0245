// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXReport
import MUXSearch
import MUXStudies

/// Shows a study or a trial.
struct SearchShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show a study, or one of its trials.",
    discussion: """
      With --network the trial's network is written as a block-string file, which every command \
      accepts as a model.

      EXAMPLES
        muxnet search show digits
        muxnet search show digits --trial 17
        muxnet search show digits --trial 17 --network net17.yaml
        muxnet search show digits --json
      """)

  @OptionGroup var study: StudyArgument

  @Option(help: "The number of a trial.")
  var trial: Int?

  @Option(help: "A file for the trial's network.", completion: .file())
  var network: String?

  @Flag(help: "Replace the file of --network if it exists.")
  var overwrite = false

  @OptionGroup var storage: StorageOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if trial == nil, network != nil { throw ValidationError("--network needs --trial") }
    if network == nil, overwrite { throw ValidationError("--overwrite needs --network") }
  }

  func run() throws {
    let coordinator = try storage.coordinator(for: .read)
    let found = try coordinator.study(named: study.study)
    if let trial { return try show(trial: trial, found, coordinator) }
    let standings = try coordinator.standings(of: found)
    if output.json {
      return try Console.json(try StudyRecorder(found.definition).record(standings))
    }
    // By the storage's clock, like all leases.
    Console.result(Self.text(standings, at: try coordinator.store.read { try $0.now() }))
  }

  private static func constraints(_ limits: NetworkSpace.Constraints) -> String {
    let parts = [
      limits.maximumParameters.map { "\($0.grouped) parameters" },
      limits.maximumMultiplyAdds.map { "\($0.grouped) multiply-adds" },
      limits.maximumLatency.map { "\($0) ms for an image" },
    ].compactMap(\.self)
    return parts.isEmpty ? "" : ", at most " + parts.joined(separator: ", ")
  }

  private static func gridText(_ grid: StudyGrid) -> String {
    let broken = grid.networks.count { $0.defect != nil }
    return
      "a list of \(grid.networks.count.grouped) networks, each with \(grid.seeds.count.grouped) seed\(grid.seeds.count == 1 ? "" : "s")"
      + (broken == 0 ? "" : "; \(broken) of the networks cannot be trained")
  }

  private static func text(_ standings: StudyStandings, at now: Date) -> String {
    let study = standings.study
    let definition = study.definition
    let space =
      switch definition.space {
      case .networks(let space, _):
        "\(space.name) (\(definition.networkDomain?.genes.count ?? 0) genes)"
          + constraints(space.constraints)
      case .table(let name, _):
        "table \(name)" + (definition.tableLimits.map(constraints) ?? "")
      case .grid(let grid): gridText(grid)
      }
    let objectives = definition.objectives.map {
      "\($0.name) (scale \(StudyText.value($0.scale, of: $0)))"
    }.joined(separator: ", ")
    let limits = definition.limits
    let counts = TrialState.allCases.compactMap { state in
      standings.counts[state].map { "\($0.grouped) \(state.rawValue)" }
    }.joined(separator: ", ")
    var lines = [
      "study       \(study.name)", "created     \(study.created.formatted(.iso8601))",
      "space       \(space)", "objectives  \(objectives)",
      "algorithm   \(definition.algorithm.name), "
        + (definition.algorithm.hasPopulation ? "population \(definition.population), " : "")
        + "seed \(definition.seed)",
      "evaluation  \(definition.evaluation.name)"
        + (definition.earlyStopping == nil ? "" : ", hopeless ones are stopped early"),
      "limits      \(limits.trials.grouped) trials, "
        + (limits.timeout.map { "\(StudyText.duration($0)) for each, " } ?? "")
        + "\(limits.retries) retries, lease \(StudyText.duration(limits.lease))",
      "trials      \(counts.isEmpty ? "none yet" : counts)",
      "hypervolume \(standings.hypervolume.fixed(4)), \(standings.front.count) on the front",
    ]
    if let master = study.master, master.end > now {
      lines.append("run by      process \(master.holder.process) on \(master.holder.host)")
    }
    lines += study.attributes.sorted { $0.key < $1.key }.map { "attribute   \($0.key)=\($0.value)" }
    lines += StudyProgressRenderer.bestLines(standings)
    if let reason = standings.lastReason { lines.append("last failure \(reason)") }
    return lines.joined(separator: "\n")
  }

  private func show(trial number: Int, _ study: Study, _ coordinator: StudyCoordinator) throws {
    let (found, count) = try coordinator.store.read { transaction in
      (
        try transaction.trial(number, of: study.id),
        try transaction.counts(of: study.id).values.reduce(0, +)
      )
    }
    guard let found else {
      throw StudyError.unknownTrial(study: study.name, number: number, count: count)
    }
    if let network {
      try ReportFile.check(network, overwrites: overwrite)
      try NetworkExport.write(found, called: "\(number)", of: study, to: network)
    }
    let record = try StudyRecorder(study.definition).record(found)
    if output.json { return try Console.json(record) }
    var lines = [
      "trial       \(record.number)", "state       \(record.state.rawValue)",
      "attempt     \(record.attempt)", "created     \(record.created)",
    ]
    if let target = record.target { lines.append("made for    \(target)") }
    if let worker = record.worker { lines.append("worker      \(worker)") }
    if let seconds = record.seconds { lines.append("took        \(StudyText.duration(seconds))") }
    if let reason = record.reason { lines.append("reason      \(reason)") }
    for (objective, value) in zip(study.definition.objectives, found.objectives ?? []) {
      lines.append("objective   \(objective.name) = \(StudyText.value(value, of: objective))")
    }
    if record.violation > 0 { lines.append("violation   \(record.violation)") }
    lines += record.attributes.filter { $0.key != "log" }.sorted { $0.key < $1.key }.map {
      "attribute   \($0.key)=\($0.value)"
    }
    lines += (record.blocks ?? []).map { "block       \($0)" }
    if case .targets(let targets) = study.definition.goal {
      let held = targets.filter {
        TargetFit(found, $0, study.definition.objectives).isWithin && found.objectives != nil
      }
      if !held.isEmpty { lines.append("within      \(held.map(\.name).joined(separator: ", "))") }
    }
    lines += record.choices.sorted { $0.key < $1.key }.map { "choice      \($0.key) = \($0.value)" }
    lines.append("genome      \(found.genome.values)")
    lines += (record.attributes["log"] ?? "").split(whereSeparator: \.isNewline)
      .map { "log         \($0)" }
    Console.result(lines.joined(separator: "\n"))
  }
}
