// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXReport
import MUXStudies

/// Shows and writes the best network of each target.
struct SearchBestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "best",
    abstract: "Show the best network for each target, and write it as a file.",
    discussion: """
      Every network shown is on the study's Pareto front. WITHIN says whether it meets all limits of \
      its target, and by how much it stays below or exceeds them.

      With --networks each one is written as a block-string file, which every command accepts as a \
      model; its path is printed.

      For a fixed list (--grid) each network is shown with its means over the seeds, ± the standard deviation.

      EXAMPLES
        muxnet search best digits
        muxnet search best digits --networks found
        muxnet train --recipe digits --model found/small.yaml
      """)

  @OptionGroup var study: StudyArgument

  @Option(help: "A folder for the network files, created if absent.", completion: .directory)
  var networks: String?

  @Flag(help: "Replace existing files of --networks.")
  var overwrite = false

  @OptionGroup var storage: StorageOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if networks == nil, overwrite { throw ValidationError("--overwrite needs --networks") }
  }

  func run() throws {
    let coordinator = try storage.coordinator(for: .read)
    let standings = try coordinator.standings(of: try coordinator.study(named: study.study))
    if let list = GridStandings(standings) { return try show(list, standings) }
    let best = standings.best
    guard !best.isEmpty else {
      throw CommandError("study '\(standings.study.name)' has no complete trial yet")
    }
    let files = try networks.map { folder in
      // All or nothing: what is in the way of one file stops all.
      try ReportFolder(path: folder, overwrites: overwrite).prepare(NetworkExport.files(for: best))
      return try NetworkExport.write(best, of: standings.study, to: folder)
    }
    if output.json {
      return try Console.json(try StudyRecorder(standings.study.definition).record(standings).best)
    }
    if let files { return Console.result(files.joined(separator: "\n")) }
    Console.result(
      TrialTable.text(
        best.map(\.trial), of: standings.study, lead: ("TARGET", best.map(\.target)),
        fits: best.contains { $0.fit != nil } ? best.map { $0.fit?.text ?? "" } : nil))
  }

  private func show(_ list: GridStandings, _ standings: StudyStandings) throws {
    if networks != nil {
      throw CommandError(
        "study '\(standings.study.name)' is a list; --networks is for networks that a search has found"
      )
    }
    if output.json { return try Console.json(list.rows) }
    let objectives = standings.study.definition.objectives
    var table = TextTable(
      [("NETWORK", .left), ("SEEDS", .right)]
        + objectives.map { ($0.name.uppercased(), .right) })
    for row in list.rows {
      table.append(
        [row.network, "\(row.seeds) of \(list.planned)"]
          + objectives.map { GridStandings.text(row, $0) })
    }
    Console.result(table.text)
  }
}
