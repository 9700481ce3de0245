// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXCharts
import MUXReport
import MUXStudies

/// Writes a report of a study.
struct SearchReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write a report of a study: one HTML file with charts and networks.",
    discussion: """
      The file is self-contained and works offline: Pareto fronts with the targets and their \
      directions, hypervolume, the best g of each target, parallel coordinates, gene frequencies, \
      block strings, settings. --svg and --png also write every chart as a picture; PNG needs \
      librsvg's rsvg-convert.

      EXAMPLES
        muxnet search report digits --output digits.html
        muxnet search report digits --output digits.html --svg charts --overwrite
      """)

  @OptionGroup var study: StudyArgument

  @Option(name: [.short, .long], help: "The HTML file.", completion: .file())
  var output: String

  @Option(help: "A folder for the charts as SVG, created if absent.", completion: .directory)
  var svg: String?

  @Option(help: "A folder for the charts as PNG, created if absent.", completion: .directory)
  var png: String?

  @Flag(help: "Replace existing files.")
  var overwrite = false

  @OptionGroup var storage: StorageOptions

  func run() throws {
    // What is in the way shows before anything is made.
    try ReportFile.check(output, overwrites: overwrite)
    if png != nil, PNGRenderer.program() == nil { throw PNGRenderer.Failure.missing }
    let coordinator = try storage.coordinator(for: .read)
    let standings = try coordinator.standings(of: try coordinator.study(named: study.study))
    let history = try StudyHistory(standings.study.definition, trials: standings.completed)
    let view = StudyView(standings.study, history)
    let charts = svg == nil && png == nil ? [] : StudyCharts(view).all
    for (folder, ending) in [(svg, "svg"), (png, "png")] {
      guard let folder else { continue }
      try ReportFolder(path: folder, overwrites: overwrite)
        .prepare(charts.map { "\($0.name).\(ending)" })
    }
    let page = StudyReportPage(
      view, counts: standings.counts,
      commands: commands(standings.study.name, try storage.url().description))
    try ReportFile.write([UInt8](page.html.utf8), to: output, overwrites: overwrite)
    for chart in charts {
      let picture = chart.figure.picture
      if let svg {
        try ReportFile.write(
          [UInt8](picture.svg.utf8), to: "\(svg)/\(chart.name).svg", overwrites: overwrite)
      }
      if let png {
        try ReportFile.write(
          try PNGRenderer.png(picture), to: "\(png)/\(chart.name).png", overwrites: overwrite)
      }
    }
    Console.note(
      "wrote \(output)"
        + (charts.isEmpty
          ? ""
          : " and \(charts.count) charts in \([svg, png].compactMap { $0 }.joined(separator: ", "))")
    )
  }

  /// How to go on; the address has no password.
  private func commands(_ name: String, _ storage: String) -> [String] {
    [("run", ""), ("best", " --networks found"), ("export", " --output trials.csv")].map {
      "muxnet search \($0) \(ShellWord.quoted(name)) --storage \(ShellWord.quoted(storage))\($1)"
    }
  }
}
