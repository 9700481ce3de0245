// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXCore
import MUXEvaluation
import MUXImages
import MUXVision

/// Commands about data sets.
struct DataCommand: ParsableCommand {
  #if TORCH
    private static let subcommands: [any ParsableCommand.Type] = [
      DataCheckCommand.self, DataPreviewCommand.self, DataPriorsCommand.self,
      DataPrepareCommand.self,
      DataExportCommand.self,
      DataBenchmarkCommand.self,
    ]
  #else
    private static let subcommands: [any ParsableCommand.Type] = [
      DataCheckCommand.self, DataPriorsCommand.self, DataPrepareCommand.self,
    ]
  #endif

  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Work with data sets.", subcommands: subcommands)
}

/// Opens every image of a data set.
struct DataCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Open every image of a data set and report the broken ones.",
    discussion: """
      The folder holds one folder of images per class, or train, val and test folders of that kind, \
      or lists with those names (.csv), or the binary files of CIFAR-10 or CIFAR-100. A single list \
      works as well. Skipped files are counted. The folder may also hold images with boxes in the \
      format of PASCAL VOC, COCO or YOLO, or as lists: then skipped boxes are counted, and object \
      sizes are compared with a detector's default boxes: the usual ones, or those of --recipe, \
      --model and --input-size. The exit code is 1 if an image is broken, \
      a part cannot be opened, or a class has no image to learn from.

      EXAMPLES
        muxnet data check photos
        muxnet data check imagenet --workers 8 --json
      """)

  @Argument(help: "The folder of the data, or a list of images.")
  var path: String

  @Option(help: "Images decoded in parallel.")
  var workers = max(1, ProcessInfo.processInfo.activeProcessorCount)

  @OptionGroup var detector: DetectorOptions

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if workers < 1 { throw ValidationError("--workers must be at least 1, not \(workers)") }
  }

  private struct Report: Encodable {
    let name: String
    var check: DataCheck?
    var boxes: BoxReport?
    var error: String?
  }

  func run() throws {
    let showsProgress = Console.errorIsTerminal
    let detector = try self.detector.detector()
    var first: (name: String, check: DataCheck)?
    let beside = foldersBeside()
    let parts = try DataConfiguration.boxParts(at: path) ?? DataSetPart.all(at: path)
    let reports = parts.map { part in
      do {
        let data = try part.content.get()
        let refusal = part.refusal
        var check = DataCheck(data, threads: workers) { done in
          if showsProgress {
            Console.standardError(
              "\r\(part.name.printable): \(done.grouped) of \(data.count.grouped)")
          }
        }
        if let first {
          check.compare(data, with: first.check, named: first.name)
        } else {
          first = (part.name, check)
          check.warnings += beside
        }
        // An error instead of the warning.
        if case .emptyClasses(_, let names) = refusal {
          check.warnings.removeAll { $0 == DataSetWarning.emptyClasses(names).description }
        }
        return Report(
          name: part.name, check: check,
          boxes: boxes(data, check.sizes, detector), error: refusal.map { "\($0)" })
      } catch {
        return Report(name: part.name, error: "\(error)")
      }
    }
    if showsProgress { Console.standardError("\r\u{1b}[2K") }
    if !self.detector.given.isEmpty, reports.allSatisfy({ $0.boxes == nil }) {
      Console.warning(
        "\(path.printable): there are no boxes for \(self.detector.given.joined(separator: ", "))")
    }
    if output.json {
      try Console.json(reports)
    } else {
      for report in reports {
        if let check = report.check { present(report.name.printable, check) }
        if let boxes = report.boxes { present(report.name.printable, boxes) }
      }
    }
    try summarize(reports)
  }

  private func boxes(
    _ data: any ImageDataSet, _ sizes: [ImageSize?], _ detector: Detector?
  ) -> BoxReport? {
    guard let detector else {
      return BoxReport(data, sizes: sizes, isLetterboxed: self.detector.letterbox)
    }
    return BoxReport(
      data, sizes: sizes, priors: detector.layout, of: detector.name.printable,
      isLetterboxed: detector.isLetterboxed)
  }

  private func foldersBeside() -> [String] {
    if let line = FolderLayout.warning(at: path) { return [line] }
    guard case .parts(_, let beside)? = try? FolderLayout(path), !beside.isEmpty else { return [] }
    let names = beside.prefix(5).map(\.printable).joined(separator: ", ")
    return ["folders of images that belong to no part: \(names)\(beside.count > 5 ? ", …" : "")"]
  }

  private func summarize(_ reports: [Report]) throws {
    let errors = reports.compactMap(\.error)
    let broken = reports.reduce(0) { $0 + ($1.check?.broken.count ?? 0) }
    let verdict =
      broken == 0
      ? nil
      : "\(broken) broken image\(broken == 1 ? "" : "s"); remove or replace the files named above"
    // One error is enough of a message; the last of several ends the command.
    for error in verdict == nil ? errors.dropLast() : errors[...] { Console.error(error) }
    if let last = verdict ?? errors.last { throw CommandError(last) }
  }

  private func present(_ name: String, _ boxes: BoxReport) {
    Console.result(boxes.summary)
    Console.result(TextTable(boxes.table).text)
    for warning in boxes.warnings { Console.warning("\(name): \(warning)") }
  }

  private func present(_ name: String, _ check: DataCheck) {
    let counts = check.classes.map(\.samples)
    let range = "\((counts.min() ?? 0).grouped) to \((counts.max() ?? 0).grouped)"
    var text = "\(name): \(check.samples.grouped) images, \(counts.count) classes of \(range)"
    if let smallest = check.smallest, let largest = check.largest {
      text += ", \(smallest.width)×\(smallest.height)"
      if smallest != largest { text += " to \(largest.width)×\(largest.height)" }
    }
    Console.result(text + ", \(check.broken.count) broken")
    for sample in check.broken {
      Console.result("broken: \(sample.name.printable): \(sample.reason.printable)")
    }
    let leftOut = check.leftOut.map(\.description)
    for warning in check.warnings + leftOut { Console.warning("\(name): \(warning)") }
  }
}
