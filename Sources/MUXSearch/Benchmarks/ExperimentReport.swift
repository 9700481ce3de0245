// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore

/// What an experiment says: for each budget the mean and spread of g of each algorithm, how far that
/// is from the best of the table, and how sure the difference from ours is.
public struct ExperimentReport: Sendable {
  /// One algorithm at one budget.
  public struct Line: Sendable, Hashable {
    /// The name of the table that was searched.
    public var table: String
    /// The networks evaluated.
    public var budget: Int
    /// The contestant's name.
    public var algorithm: String
    /// The number of runs, each with a seed of its own.
    public var runs: Int
    /// The mean over runs of the mean best g over the reference points.
    public var mean: Double
    /// Its standard deviation over runs.
    public var deviation: Double
    /// The mean best g at each reference point.
    public var perTarget: [Double]
    /// ``mean`` less the same of the whole table's best networks.
    public var distance: Double
    /// The share of runs that found the table's best network of every reference point.
    public var solved: Double
    /// Two-sided p of the rank-sum test against ours; nil for ours.
    public var rankSum: Double?
    /// Two-sided p of the signed-rank test against ours, paired by seed; nil for ours or where runs
    /// do not pair.
    public var signedRank: Double?
    /// The median processor time of a whole run in seconds; NaN if it was not measured.
    public var seconds: Double
  }

  /// The lines, by budget, then in the order of the algorithms' first rows.
  public let lines: [Line]

  /// Sums up the rows of one table. `ours` names the algorithm that the others are tested against,
  /// `optimum` the least g of the table at each reference point.
  public init(_ rows: [SearchExperiment.Row], ours: String, optimum: [Double]) {
    var names: [String] = []
    for row in rows where !names.contains(row.algorithm) { names.append(row.algorithm) }
    let best = optimum.reduce(0, +) / Double(max(optimum.count, 1))
    var lines: [Line] = []
    for budget in Set(rows.map(\.budget)).sorted() {
      let own = rows.filter { $0.budget == budget && $0.algorithm == ours }
      for name in names {
        let runs = rows.filter { $0.budget == budget && $0.algorithm == name }
        guard let first = runs.first else { continue }
        let means = runs.map(\.mean)
        let count = Double(runs.count)
        let mean = means.reduce(0, +) / count
        let squares = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let pairs = runs.map(\.seed) == own.map(\.seed)
        lines.append(
          Line(
            table: first.table, budget: budget, algorithm: name, runs: runs.count, mean: mean,
            deviation: (squares / max(count - 1, 1)).squareRoot(),
            perTarget: optimum.indices.map { target in
              runs.reduce(0) { $0 + $1.best[target] } / count
            },
            distance: mean - best,
            solved: Double(
              runs.count { row in zip(row.best, optimum).allSatisfy { $0 <= $1 + 1e-6 } }) / count,
            rankSum: name == ours || own.isEmpty
              ? nil : RankTests.rankSum(own.map(Self.comparable), runs.map(Self.comparable)),
            signedRank: name == ours || !pairs
              ? nil : RankTests.signedRank(own.map(Self.comparable), runs.map(Self.comparable)),
            seconds: Quantiles(runs.map(\.seconds)).upper(0.5) ?? .nan))
      }
    }
    self.lines = lines
  }

  /// A row's mean to six digits: runs that found the same networks must tie, also when one was read
  /// from a file and the other was not.
  private static func comparable(_ row: SearchExperiment.Row) -> Double {
    (row.mean * 1e6).rounded()
  }

  /// The lines as a CSV file with a header.
  public var csv: String {
    let targets = lines.first?.perTarget.indices.map { "mean_g\($0 + 1)" } ?? []
    let header =
      ["table", "budget", "algorithm", "runs", "mean_g", "sd_g"] + targets
      + ["distance", "solved", "p_rank_sum", "p_signed_rank", "seconds"]
    let body = lines.map { line -> [String] in
      let numbers = ([line.mean, line.deviation] + line.perTarget + [line.distance]).map {
        NumberText.fixed($0, decimals: 6)
      }
      return [line.table, "\(line.budget)", line.algorithm, "\(line.runs)"] + numbers
        + [
          NumberText.fixed(line.solved, decimals: 2), Self.probability(line.rankSum),
          Self.probability(line.signedRank),
          line.seconds.isNaN ? "" : NumberText.fixed(line.seconds, decimals: 5),
        ]
    }
    return ([header] + body).map { $0.joined(separator: ",") }.joined(separator: "\n") + "\n"
  }

  /// The lines as a table for people.
  public var text: String {
    var result = ""
    var budget = -1
    for line in lines {
      if line.budget != budget {
        budget = line.budget
        result +=
          "\(line.table), \(budget) networks\n"
          + Self.padded("  algorithm", 24) + Self.padded("mean g ± sd", 22)
          + Self.padded("distance", 11) + Self.padded("solved", 8) + Self.padded("p vs ours", 11)
          + "seconds\n"
      }
      let spread = [line.mean, line.deviation].map { NumberText.fixed($0, decimals: 5) }
        .joined(separator: " ± ")
      result +=
        Self.padded("  \(line.algorithm)", 24) + Self.padded(spread, 22)
        + Self.padded(NumberText.fixed(line.distance, decimals: 5), 11)
        + Self.padded("\(Int((100 * line.solved).rounded())) %", 8)
        + Self.padded(line.rankSum == nil ? "–" : Self.probability(line.rankSum), 11)
        + (line.seconds.isNaN ? "–" : NumberText.fixed(line.seconds, decimals: 4)) + "\n"
    }
    return result
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }

  private static func probability(_ value: Double?) -> String {
    value.map { NumberText.significant($0, digits: 2) } ?? ""
  }
}

extension SearchExperiment.Row {
  /// The header of files of rows: table, algorithm, budget, seed, mean and single best g, seconds.
  public static func csvHeader(targets: Int) -> String {
    "table,algorithm,budget,seed,mean_g,"
      + (1...max(targets, 1)).map { "g\($0)" }.joined(separator: ",") + ",seconds"
  }

  /// The row as a line of CSV.
  public var csv: String {
    let numbers = ([mean] + best).map { NumberText.fixed($0, decimals: 8) }
    let time = NumberText.fixed(seconds, decimals: 6)
    return ([table, algorithm, "\(budget)", "\(seed)"] + numbers + [time]).joined(separator: ",")
  }

  /// Reads rows from CSV with a header, such as those that `tools/compare_search.py` writes. Columns
  /// are found by name; `g1`, `g2` … are the reference points; `seconds` may be missing.
  ///
  /// - Throws: ``SearchError/table(path:reason:)``.
  public static func read(
    csv text: String, path: String
  ) throws(SearchError) -> [SearchExperiment.Row] {
    let lines = text.split(whereSeparator: \.isNewline)
    let header = (lines.first ?? "").split(separator: ",").map(String.init)
    let places = Dictionary(
      header.enumerated().map { ($1, $0) }, uniquingKeysWith: { old, _ in old })
    let targets = (1...100).prefix { places["g\($0)"] != nil }.compactMap { places["g\($0)"] }
    guard let table = places["table"], let algorithm = places["algorithm"],
      let budget = places["budget"], let seed = places["seed"], !targets.isEmpty
    else {
      throw .table(
        path: path, reason: "lacks one of the columns table, algorithm, budget, seed, g1")
    }
    var rows: [SearchExperiment.Row] = []
    for (number, line) in lines.enumerated().dropFirst() {
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      let best = fields.count == header.count ? targets.compactMap { Double(fields[$0]) } : []
      guard best.count == targets.count, let budget = Int(fields[budget]),
        let seed = Int(fields[seed]),
        let seconds = places["seconds"].map({ Double(fields[$0]) }) ?? .nan
      else { throw .table(path: path, reason: "line \(number + 1) is not a row") }
      rows.append(
        SearchExperiment.Row(
          table: String(fields[table]), algorithm: String(fields[algorithm]), budget: budget,
          seed: seed, best: best, seconds: seconds))
    }
    return rows
  }
}
