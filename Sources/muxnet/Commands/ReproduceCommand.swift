// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXCharts
import MUXConfiguration
import MUXPaper
import MUXReport

/// Makes the paper's tables and figures anew.
struct ReproduceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reproduce",
    abstract: "Reproduce the paper's tables and figures.",
    discussion: """
      EXHIBIT is table1 to table4, figure1, figure2, figure6 to figure9, or all. Counts, shares and \
      latencies are computed now; results of earlier runs are read from results/; figures that only \
      the paper has are quoted from it. Each number is marked as one of the three.

      A single exhibit is printed, or with --output written into a folder. 'all' is written into a \
      folder, in every format, with a page index.html. Table 1 times its networks on this machine, \
      which takes minutes; --runs 0 skips that.

      Tables 2 and 4 have rows that need training. With --data (the folder of VOC2007 and VOC2012, \
      or of ChestX-ray14) the plan and its cost are shown, missing rows are trained by the recipes, \
      and the table is filled in. Ctrl-C interrupts it with exit code 130; the same command \
      continues. --max-steps runs through every row quickly, as a check.

      Figure 8 is an ablation on images of 32×32 pixels: with --data (the folder of CIFAR-10) twelve \
      networks are trained with five seeds each, as a study with a fixed list, which can be \
      interrupted and spread over machines (--storage, --workers, --time-budget; muxnet search \
      worker joins in, and the dashboard shows it). Accuracies and gains come with intervals and a \
      paired test.

      EXAMPLES
        muxnet reproduce table1 --runs 0
        muxnet reproduce figure2 --format svg > figure2.svg
        muxnet reproduce table3 --format csv --output tables
        muxnet reproduce all --output reproduction
        muxnet reproduce table2 --data VOCdevkit --weights imagenet --dry-run
        muxnet reproduce table4 --data chestxray14-256 --weights imagenet --device cuda
        muxnet reproduce figure8 --data cifar10 --storage figure8.db --time-budget 480 --output figure8
      """)

  @Argument(help: "A table or figure, or all.")
  var exhibit: String

  @Option(help: "markdown, csv, json, svg or png (default: markdown; svg for figures).")
  var format: Format?

  @Option(help: "The folder to write into.", completion: .directory)
  var output: String?

  @Flag(help: "Replace existing files.")
  var overwrite = false

  @Option(
    help: "The folder of measured results (default: results, here or beside the program).",
    completion: .directory)
  var results: String?

  @Option(
    help:
      "Timed batches per latency, ten times as many single images; 0 for none (default: 3).")
  var runs: Int?

  @Option(help: "Threads for latencies; 0 takes one per core (default: 0).")
  var threads: Int?

  #if TORCH
    @OptionGroup(title: "Training of rows") var training: TableTrainingOptions
    @OptionGroup(title: "Trainings of figure 8") var ablation: AblationOptions
  #endif

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case markdown, csv, json, svg, png

    var value: Exhibit.Format { Exhibit.Format(rawValue: rawValue) ?? .markdown }
  }

  func validate() throws {
    if let runs, runs < 0 { throw ValidationError("--runs must not be negative, not \(runs)") }
    if let threads, !(0...1024).contains(threads) {
      throw ValidationError("--threads must be from 0 to 1024, not \(threads)")
    }
    let isAll = exhibit.lowercased() == "all"
    if !isAll, let name = try? ExhibitName.named(exhibit), name != .table1 {
      try UnusedOptions.refuse(
        [("runs", runs != nil), ("threads", threads != nil)], because: "only table1 has latencies")
    }
    if !isAll, output == nil, overwrite { throw ValidationError("--overwrite needs --output") }
    #if TORCH
      if !ablation.given.isEmpty,
        training.data == nil || (try? ExhibitName.named(exhibit)) != .figure8
      {
        throw ValidationError(
          "\(ablation.given.joined(separator: ", ")): only for figure8 with --data FOLDER")
      }
    #endif
    if format == .png, output == nil, !isAll {
      throw ValidationError("--format png needs --output FOLDER")
    }
  }

  func run() throws {
    if let results, !FileManager.default.fileExists(atPath: results) {
      throw CommandError("the folder of results \(results) does not exist")
    }
    if exhibit.lowercased() == "all" {
      #if TORCH
        if training.data != nil {
          throw CommandError("--data is for one exhibit that is trained: table2, table4 or figure8")
        }
      #endif
      return try writeAll()
    }
    let name = try ExhibitName.named(exhibit)
    let format = format?.value ?? (name.isFigure ? .svg : .markdown)
    if !name.isFigure, [.svg, .png].contains(format) {
      throw ReproductionError.noPicture(exhibit: name.rawValue)
    }
    if format == .png, PNGRenderer.program() == nil { throw PNGRenderer.Failure.missing }
    let folder = output.map { ReportFolder(path: $0, overwrites: overwrite) }
    try folder?.prepare([ReportFolder.file(name, format)])
    #if TORCH
      let ablation = try name == .figure8 ? trainedAblation() : nil
      let (runs, failed) = try name == .figure8 ? ([], []) : trainedRows(of: name)
      if training.dryRun { return }
    #else
      let (runs, failed): ([TableRun], [String]) = ([], [])
      let ablation: Ablation? = nil
    #endif
    var reproduction = try reproduction(timing: name == .table1, trained: runs)
    reproduction.ablation = ablation
    let made = try reproduction.exhibit(name)
    if let folder {
      Console.note("wrote \(try folder.write(made, format))")
    } else {
      Console.result(bytes: Data(try made.bytes(format)))
    }
    guard failed.isEmpty else {
      throw CommandError(
        "\(failed.count) row\(failed.count == 1 ? "" : "s") could not be trained (see above):"
          + " \(failed.joined(separator: ", ")); change their settings, and give the command again")
    }
  }

  #if TORCH
    /// Trains what is missing of figure 8, where data is named.
    private func trainedAblation() throws -> Ablation? {
      guard training.data != nil else { return nil }
      let list = try AblationTraining(training, ablation)
      let plan = try list.plan()
      if training.dryRun {
        Console.result(plan)
        return nil
      }
      Console.note(plan)
      if let signal = try list.train() {
        Console.note("interrupted; the same command continues")
        throw ExitCode(128 + signal)
      }
      return try list.results()
    }

    /// Trains what is missing of a table, where data is named.
    private func trainedRows(of name: ExhibitName) throws -> ([TableRun], failed: [String]) {
      guard training.data != nil else { return ([], []) }
      let table = try TableTraining(name, training)
      let plan = try table.plan()
      if training.dryRun {
        Console.result(plan)
        return ([], [])
      }
      Console.note(plan)
      let (signal, failed) = try table.train()
      if let signal {
        Console.note("interrupted; the same command continues")
        throw ExitCode(128 + signal)
      }
      return (try table.results(), failed)
    }
  #endif

  private func writeAll() throws {
    let folder = ReportFolder(path: output ?? "reproduction", overwrites: overwrite)
    if format == .png, PNGRenderer.program() == nil { throw PNGRenderer.Failure.missing }
    let files = ExhibitName.allCases.flatMap { name in
      ReportFolder.formats(of: name).filter { format == nil || $0 == format?.value }
        .map { (name, $0) }
    }
    try folder.prepare(files.map { ReportFolder.file($0.0, $0.1) } + ["index.html"])
    let reproduction = try reproduction(timing: true)
    let exhibits = try ExhibitName.allCases.map { try reproduction.exhibit($0) }
    for (name, format) in files {
      guard let exhibit = exhibits.first(where: { $0.name == name }) else { continue }
      _ = try folder.write(exhibit, format)
    }
    let page = try folder.writePage(exhibits, machine: machine)
    Console.note("wrote \(files.count) files and \(page)")
    if format == nil, PNGRenderer.program() == nil {
      Console.note("no PNG files: \(PNGRenderer.Failure.missing)")
    }
  }

  private var timedRuns: Int { runs ?? 3 }

  private var threadCount: Int {
    guard let threads, threads > 0 else { return ProcessInfo.processInfo.activeProcessorCount }
    return threads
  }

  private var machine: String {
    let report = EnvironmentReport()
    return "\(report.processor ?? report.architecture), \(threadCount) threads of"
      + " \(report.cores) cores"
  }

  private func reproduction(timing: Bool, trained: [TableRun] = []) throws -> Reproduction {
    let measured = results.map { ResultsFolder(path: $0) } ?? ResultsFolder.find()
    let meters =
      timing && timedRuns > 0 ? try LatencyMeters.all(runs: timedRuns, threads: threadCount) : []
    return Reproduction(results: measured, runs: trained, meters: meters, machine: machine) {
      Console.note($0)
    }
  }
}
