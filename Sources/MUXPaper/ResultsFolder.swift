// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The numbers that runs have left under `results/`.
///
/// - `accuracies.csv`: one row a number, with the columns `study` (transfer, scratch, ablation …),
///   `model`, `data`, `classes`, `input_size` (empty for the model's own), `metric` (top1, top5,
///   map11, auroc), `value` (a share from 0 to 1) and `command`.
/// - `search/summary.csv`: figure 9's experiment, as `muxnet search benchmark` writes it.
package struct ResultsFolder: Sendable {
  /// The folder; nil where there is none, so that everything measured is "not run".
  package let path: String?

  /// A folder, or none.
  package init(path: String?) {
    self.path = path
  }

  /// The folder `results` of the working folder or of the folders above the program.
  package static func find(
    environment: [String: String] = ProcessInfo.processInfo.environment,
    executable: String? = Bundle.main.executablePath
  ) -> ResultsFolder {
    var places: [String] = []
    if let own = environment["MUXNET_RESULTS"], !own.isEmpty { places.append(own) }
    places.append("results")
    if let executable {
      var folder = URL(fileURLWithPath: executable).resolvingSymlinksInPath()
        .deletingLastPathComponent()
      for _ in 0..<5 where folder.path != "/" {
        places.append(folder.appendingPathComponent("results").path)
        folder = folder.deletingLastPathComponent()
      }
    }
    return ResultsFolder(
      path: places.first { FileManager.default.fileExists(atPath: "\($0)/README.md") }
        ?? environment["MUXNET_RESULTS"])
  }

  /// An accuracy that a run attained.
  struct Accuracy: Sendable, Hashable {
    var study: String
    var model: String
    var data: String
    var classes: Int?
    var inputSize: Int?
    var metric: String
    /// A share from 0 to 1.
    var value: Double
    var command: String
  }

  /// All accuracies; none without the file.
  func accuracies() throws -> [Accuracy] {
    guard let (text, path) = try text("accuracies.csv") else { return [] }
    return try CSVText(text, path: path).records.map { line, record in
      func field(_ name: String) throws(ReproductionError) -> String {
        guard let value = record[name] else {
          throw .results(path: path, line: 1, reason: "the column '\(name)' is missing")
        }
        return value
      }
      func number(_ name: String) throws(ReproductionError) -> Int? {
        let text = try field(name)
        if text.isEmpty { return nil }
        guard let value = Int(text), value > 0 else {
          throw .results(path: path, line: line, reason: "'\(text)' in '\(name)' is not a number")
        }
        return value
      }
      guard let value = Double(try field("value")), (0...1).contains(value) else {
        throw ReproductionError.results(
          path: path, line: line, reason: "the value must be a share from 0 to 1")
      }
      return Accuracy(
        study: try field("study"), model: try field("model"), data: try field("data"),
        classes: try number("classes"), inputSize: try number("input_size"),
        metric: try field("metric"), value: value, command: try field("command"))
    }
  }

  /// What runs attained in the metric of a table or figure.
  func accuracies(for exhibit: ExhibitName) throws -> [Accuracy] {
    try accuracies().filter { $0.metric == exhibit.metric.name }
  }

  /// What one algorithm attained at one budget of figure 9's experiment.
  struct SearchLine: Sendable, Hashable {
    var table: String
    var budget: Int
    var algorithm: String
    var runs: Int
    /// The mean of g above the best of the table, and its standard deviation over runs.
    var distance: Double
    var deviation: Double
    /// Two-sided p against ours; nil for ours.
    var probability: Double?
  }

  /// The command that makes `search/summary.csv`.
  static let searchCommand =
    "muxnet search benchmark --data DATA --rivals results/search/pymoo.csv --output results/search"

  /// Figure 9's experiment; none without the file.
  func searchLines() throws -> [SearchLine] {
    guard let (text, path) = try text("search/summary.csv") else { return [] }
    return try CSVText(text, path: path).records.map { line, record in
      func number(_ name: String) throws(ReproductionError) -> Double {
        guard let text = record[name], let value = Double(text) else {
          throw .results(
            path: path, line: record[name] == nil ? 1 : line,
            reason: record[name] == nil
              ? "the column '\(name)' is missing" : "'\(name)' is not a number")
        }
        return value
      }
      guard let table = record["table"], let algorithm = record["algorithm"] else {
        throw ReproductionError.results(
          path: path, line: 1, reason: "the columns 'table' and 'algorithm' are needed")
      }
      return SearchLine(
        table: table, budget: Int(try number("budget")), algorithm: algorithm,
        runs: Int(try number("runs")), distance: try number("distance"),
        deviation: try number("sd_g"),
        probability: record["p_rank_sum"].flatMap { Double($0) })
    }
  }

  private func text(_ name: String) throws -> (String, String)? {
    guard let path else { return nil }
    let file = "\(path)/\(name)"
    guard FileManager.default.fileExists(atPath: file) else { return nil }
    return (try String(contentsOfFile: file, encoding: .utf8), file)
  }
}
