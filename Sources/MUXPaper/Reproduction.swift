// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXReport

/// Makes the paper's tables and figures anew.
///
/// Counts, shares and latencies are computed when an exhibit is asked for; what runs measured is
/// read from `results/`; what only the paper has is quoted from it. Each number carries its source.
package struct Reproduction {
  /// What runs have left.
  package var results: ResultsFolder
  /// Rows that were trained for the table that is asked for; they come before those of `results`.
  package var runs: [TableRun]
  /// The ablation of figure 8, where it was trained.
  package var ablation: Ablation?
  /// How networks are timed; nothing is timed without one.
  package var meters: [LatencyMeter]
  /// The machine on which they are timed, for the notes.
  package var machine: String
  /// Told what is being done, for long tables.
  package var progress: (String) -> Void

  /// The batches of the paper's table 1.
  static let batchSizes = [1, 64]

  package init(
    results: ResultsFolder = ResultsFolder(path: nil), runs: [TableRun] = [],
    meters: [LatencyMeter] = [],
    machine: String = "", progress: @escaping (String) -> Void = { _ in }
  ) {
    self.results = results
    self.runs = runs
    self.meters = meters
    self.machine = machine
    self.progress = progress
  }

  /// A table or figure.
  ///
  /// - Throws: ``ReproductionError`` for damaged results; what a meter throws is noted, not thrown.
  package func exhibit(_ name: ExhibitName) throws -> Exhibit {
    switch name {
    case .table1: try table1()
    case .table2: try table2()
    case .table3: try table3()
    case .table4: try table4()
    case .figure1: try figure1()
    case .figure2: try figure2()
    case .figure6: try figure6()
    case .figure7: try figure7()
    case .figure8: try figure8()
    case .figure9: try figure9()
    }
  }

  // MARK: Parts that exhibits share

  /// The costs of a network of the zoo, nil if the zoo has none of that name.
  func costs(
    _ model: String, classes: Int? = nil, inputSize: Int? = nil
  ) throws(NetworkError) -> CostReport? {
    guard let network = try network(model, classes: classes, inputSize: inputSize) else {
      return nil
    }
    return try CostReport(network)
  }

  /// A network of the zoo, nil if it has none of that name.
  func network(
    _ model: String, classes: Int? = nil, inputSize: Int? = nil
  ) throws(NetworkError) -> Network? {
    guard let entry = ModelZoo.entries.first(where: { $0.name == model }) else { return nil }
    return try entry.network(
      ModelOptions(classes: classes, inputSize: inputSize.map { ImageSize($0) }))
  }

  /// The columns of counts: computed beside quoted.
  static let countColumns: [ReportTable.Column] = [
    .init("parameters", "parameters"), .init("parameters_paper", "paper"),
    .init("multiply_adds", "multiply-adds"),
    .init("multiply_adds_paper_count", "by the paper's count"),
    .init("multiply_adds_paper", "paper"),
  ]

  /// The values of ``countColumns`` for a row of one of the paper's tables.
  func counts(
    _ row: QuotedTables.Row, classes: Int? = nil, place: String
  ) throws(NetworkError) -> [ReportValue] {
    let costs = try costs(row.model, classes: classes)
    return [
      costs.map { .count($0.parameters) } ?? .none,
      .quoted(row["parameters"], place: place),
      costs.map { .count($0.multiplyAdds) } ?? .none,
      costs.map { .count($0.paperMultiplyAdds) } ?? .none,
      .quoted(row["multiply_adds"], place: place),
    ]
  }

  /// What a row came to: in a training for the table, else in one under `results/`.
  func cell(_ model: String, or accuracy: ResultsFolder.Accuracy?) -> ReportValue {
    guard let run = runs.first(where: { $0.model == model }) else { return Self.cell(accuracy) }
    guard let value = run.value else { return .none }
    return ReportValue(
      (value * 100).decimals(2), number: value * 100, source: .measured(command: run.command))
  }

  /// What has to be said about the rows that were trained for the table.
  var runNotes: [String] {
    var seen: Set<String> = []
    return runs.map(\.note).filter { seen.insert($0).inserted }
  }

  /// A measured accuracy as a cell in percent.
  static func cell(_ accuracy: ResultsFolder.Accuracy?) -> ReportValue {
    guard let accuracy else { return .notRun }
    let percent = accuracy.value * 100
    return ReportValue(
      percent.decimals(2), number: percent, source: .measured(command: accuracy.command))
  }

  static let countNote = "\(CostReport.convention); for one image of the network's own size"

  /// Names the rows whose network the zoo does not have.
  static func absentNote(_ rows: [QuotedTables.Row]) -> [String] {
    let known = Set(ModelZoo.entries.map(\.name))
    let absent = rows.filter { !$0.model.isEmpty && !known.contains($0.model) }.map(\.network)
    return absent.isEmpty
      ? [] : ["not in the zoo, so with the paper's figures only: \(absent.joined(separator: ", "))"]
  }
}

extension Double {
  /// The number with a fixed number of decimals.
  func decimals(_ count: Int) -> String {
    guard isFinite else { return "–" }
    let scale = (0..<count).reduce(1.0) { value, _ in value * 10 }
    let digits = Int((abs(self) * scale).rounded())
    let sign = self < 0 && digits > 0 ? "-" : ""
    guard count > 0 else { return "\(sign)\(digits)" }
    let rest = String(digits % Int(scale))
    return "\(sign)\(digits / Int(scale))."
      + String(repeating: "0", count: count - rest.count) + rest
  }
}
