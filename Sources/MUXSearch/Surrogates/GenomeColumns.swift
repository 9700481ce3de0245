// SPDX-License-Identifier: Apache-2.0

/// Genomes gene by gene, so that one genome is compared with all in passes over memory.
struct GenomeColumns: Sendable {
  private var columns: [[Int32]]
  private(set) var count = 0

  init(genes: Int) { columns = Array(repeating: [], count: genes) }

  mutating func append(_ genome: Genome) {
    for gene in columns.indices { columns[gene].append(Int32(truncatingIfNeeded: genome[gene])) }
    count += 1
  }

  /// Π over the genes in which a genome differs from each of these, of the genes' factors.
  func kernel(with genome: Genome, _ factors: [Double]) -> [Double] {
    var row = [Double](repeating: 1, count: count)
    row.withUnsafeMutableBufferPointer { row in
      for gene in columns.indices {
        let (own, factor) = (Int32(truncatingIfNeeded: genome[gene]), factors[gene])
        columns[gene].withUnsafeBufferPointer { column in
          for place in row.indices { row[place] *= column[place] == own ? 1 : factor }
        }
      }
    }
    return row
  }

  /// The sum of the kernel's row times values, and the row's greatest entry.
  func products(
    with genome: Genome, _ factors: [Double], _ values: [Double]
  ) -> (sum: Double, greatest: Double) {
    let row = kernel(with: genome, factors)
    let sum = row.withUnsafeBufferPointer { row in
      values.withUnsafeBufferPointer { values in
        row.baseAddress.map { own in
          values.baseAddress.map { dotProduct(own, $0, row.count) } ?? 0
        } ?? 0
      }
    }
    return (sum, row.max() ?? 0)
  }
}
