// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// NAS-Bench-101 as a benchmark: `error` (percent, mean of the test accuracies after 108 epochs),
/// `params`, and `time` (mean training time in seconds), the three objectives of the paper's figure 9.
///
/// Reads the published `nasbench_only108.tfrecord` (or the full file). The table is not part of this
/// project.
public struct NASBench101: BenchmarkTable {
  /// The mean results of a cell.
  struct Entry: Sendable {
    var error: Double
    var parameters: Double
    var time: Double
    var repeats: Int
  }

  /// The file's usual name.
  public static let fileName = "nasbench_only108.tfrecord"

  /// `nas-bench-101`.
  public let name = "nas-bench-101"
  /// The objectives with the largest costs as scales.
  public let objectives: [Objective]
  /// 21 edges and 5 operations.
  public let space: NASBench101Domain

  /// The space, for the search.
  public var domain: any SearchDomain { space }

  /// Reads a record file. `errorScale` is the error in percent that weighs as much as the largest
  /// cost; trainings of other than `epochs` epochs are left out.
  ///
  /// - Throws: ``SearchError/table(path:reason:)``.
  public init(
    reading url: URL, epochs: Int = 108, errorScale: Double = 100.0 / 3
  ) throws(SearchError) {
    let path = url.path(percentEncoded: false)
    var entries: [ArchitectureKey: Entry] = [:]
    var file = try RecordFile(url)
    var number = 0
    while let bytes = try file.next() {
      let record = try NASBench101Record(bytes, place: "\(path), record \(number)")
      number += 1
      guard record.epochs == epochs else { continue }
      guard let pruned = try? record.cell.pruned(), let last = record.evaluations.last else {
        throw .table(path: path, reason: "record \(number - 1) is outside of the search space")
      }
      let old = entries[pruned.key] ?? Entry(error: 0, parameters: 0, time: 0, repeats: 0)
      let count = Double(old.repeats)
      entries[pruned.key] = Entry(
        error: (old.error * count + 100 * (1 - last.testAccuracy)) / (count + 1),
        parameters: Double(record.parameters),
        time: (old.time * count + last.trainingTime) / (count + 1), repeats: old.repeats + 1)
    }
    guard !entries.isEmpty else {
      throw .table(path: path, reason: "has no trainings of \(epochs) epochs")
    }
    space = NASBench101Domain(entries: entries)
    objectives = [
      Objective(.error, scale: errorScale),
      Objective(.parameters, scale: entries.values.reduce(1) { max($0, $1.parameters) }),
      Objective(.trainingTime, scale: entries.values.reduce(1) { max($0, $1.time) }),
    ]
  }

  /// The number of cells in the table.
  public var count: Int { space.entries.count }

  /// The results of a cell, nil if the table lacks it.
  public func evaluate(_ genome: Genome) -> [Double]? {
    guard let cell = try? space.cell(genome).pruned(), let entry = space.entries[cell.key] else {
      return nil
    }
    return [entry.error, entry.parameters, entry.time]
  }

  /// The results of all cells.
  public var allObjectives: [[Double]] {
    space.entries.values.map { [$0.error, $0.parameters, $0.time] }
  }
}

/// The genomes of NAS-Bench-101: five operations, then the 21 edges of seven vertices row by row.
public struct NASBench101Domain: SearchDomain {
  /// The decisions.
  public let genes: [Gene]
  let entries: [ArchitectureKey: NASBench101.Entry]

  init(entries: [ArchitectureKey: NASBench101.Entry]) {
    self.entries = entries
    var genes = (1...5).map { Gene("operation\($0)", choices: 3, isOrdered: false) }
    for source in 0..<6 {
      for target in (source + 1)..<7 { genes.append(Gene("edge\(source)-\(target)", choices: 2)) }
    }
    self.genes = genes
  }

  /// The space alone, without a table.
  public init() { self.init(entries: [:]) }

  /// The cell of a genome, not pruned.
  package func cell(_ genome: Genome) -> NASBench101Cell {
    var successors = [UInt64](repeating: 0, count: 7)
    var place = 5
    for source in 0..<6 {
      for target in (source + 1)..<7 {
        successors[source] |= UInt64(genome[place]) << UInt64(target)
        place += 1
      }
    }
    return NASBench101Cell(
      successors: successors,
      operations: genome.values.prefix(5).map { NASBench101Cell.Operation.allCases[$0] })
  }

  /// The genome of a pruned cell: its inner vertices first, unused ones after them with operation 0.
  package func genome(_ cell: NASBench101Cell) -> Genome {
    var values = [Int](repeating: 0, count: genes.count)
    for (place, operation) in cell.operations.enumerated() { values[place] = operation.rawValue }
    let last = cell.vertexCount - 1
    var place = 5
    for source in 0..<6 {
      for target in (source + 1)..<7 {
        let end = target == 6 ? last : target
        if source < last, end <= last, target == 6 || target < last, cell.hasEdge(source, end) {
          values[place] = 1
        }
        place += 1
      }
    }
    return Genome(values)
  }

  /// The pruned cell as a genome; nil if input and output are not connected, or more than 9 edges
  /// are left.
  public func canonical(_ genome: Genome) -> Genome? {
    guard let cell = try? cell(genome).pruned() else { return nil }
    return entries.isEmpty || entries[cell.key] != nil ? self.genome(cell) : nil
  }

  /// Equal for isomorphic cells.
  public func key(of canonical: Genome) -> ArchitectureKey {
    (try? cell(canonical).pruned().key) ?? ArchitectureKey(canonical, genes: genes)
  }

  /// The parameters; error and training time have to be measured.
  public func knownObjectives(of canonical: Genome) -> [Double]? {
    guard let cell = try? cell(canonical).pruned() else { return nil }
    return [.nan, Double(cell.parameterCount), .nan]
  }
}
