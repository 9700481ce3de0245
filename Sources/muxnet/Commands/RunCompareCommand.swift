// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXReport
import MUXRuns

/// Puts runs beside each other.
struct RunCompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare runs: the settings that differ, and their results.",
    discussion: """
      Metrics are those of each run's best epoch on its validation images. Runs that are still \
      training are shown with their progress so far. With --output their curves are drawn on one \
      self-contained HTML page.

      EXAMPLES
        muxnet run compare runs/a runs/b
        muxnet run compare runs/* --output runs.html
      """)

  @Argument(help: "The folders of the runs, at least two.", completion: .directory)
  var runs: [String]

  @Option(name: [.short, .long], help: "An HTML file to write.", completion: .file())
  var output: String?

  @Flag(help: "Replace an existing file.")
  var overwrite = false

  @OptionGroup var format: OutputOptions

  func validate() throws {
    if runs.count < 2 { throw ValidationError("name two runs at least, such as runs/a runs/b") }
    if output == nil, overwrite { throw ValidationError("--overwrite needs --output") }
  }

  func run() throws {
    if let output { try ReportFile.check(output, overwrites: overwrite) }
    let comparison = try RunComparison(paths: runs)
    if let output {
      try ReportFile.write([UInt8](comparison.html.utf8), to: output, overwrites: overwrite)
      Console.note("wrote \(output)")
    }
    if format.json { return try Console.json(comparison) }
    var outcomes = TextTable([("at the best epoch", .left)] + comparison.names.map { ($0, .right) })
    for row in comparison.outcomes { outcomes.append([row.name] + row.cells) }
    Console.result(outcomes.text)
    Console.result("")
    guard !comparison.differences.isEmpty else {
      return Console.result("the runs have the same settings")
    }
    var settings = TextTable(
      [("settings that differ", .left)] + comparison.names.map { ($0, .right) })
    for difference in comparison.differences {
      settings.append([difference.setting] + difference.values.map { $0 ?? "–" })
    }
    Console.result(settings.text)
  }
}
