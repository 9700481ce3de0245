// SPDX-License-Identifier: Apache-2.0

/// All cells of NAS-Bench-101, one of each class of isomorphic ones.
package enum NASBench101Enumeration {
  /// The number of cells with at most 7 vertices and 9 edges.
  package static let cellCount = 423_624

  /// All cells with `vertices` vertices and at most 9 edges of which nothing can be pruned, in the
  /// order of the benchmark's generator: edge x → y is bit x + y(y−1)/2 of a counter.
  package static func cells(vertices: Int) -> [NASBench101Cell] {
    precondition((2...NASBench101Cell.mostVertices).contains(vertices), "2 to 7 vertices")
    let inner = vertices - 2
    // The last vertex changes fastest. The order matters: isomorphic cells may differ in parameters
    // (who gets a remainder of channels depends on the numbering), and the first one stands for all.
    let labelings = (0..<power(3, inner)).map { number -> [NASBench101Cell.Operation] in
      (0..<inner).map { place in
        NASBench101Cell.Operation.allCases[number / power(3, inner - 1 - place) % 3]
      }
    }
    let labels = labelings.map { $0.map(\.rawValue) }
    var seen: Set<ArchitectureKey> = []
    var cells: [NASBench101Cell] = []
    var rows = [UInt64](repeating: 0, count: vertices)
    for bits in 0..<(1 << (vertices * (vertices - 1) / 2))
    where bits.nonzeroBitCount <= NASBench101Cell.mostEdges {
      guard fill(&rows, bits) else { continue }
      for (index, operations) in labelings.enumerated()
      where seen.insert(NASBench101Cell.key(rows, labels: labels[index])).inserted {
        cells.append(NASBench101Cell(successors: rows, operations: operations))
      }
    }
    return cells
  }

  /// All 423,624 cells, smaller ones first.
  package static func all() -> [NASBench101Cell] {
    (2...NASBench101Cell.mostVertices).flatMap { cells(vertices: $0) }
  }

  /// Writes the matrix of a counter; whether each vertex has an edge in and an edge out, which in an
  /// acyclic graph means that nothing can be pruned.
  private static func fill(_ rows: inout [UInt64], _ bits: Int) -> Bool {
    for row in rows.indices { rows[row] = 0 }
    var bit = 0
    for target in 1..<rows.count {
      let column = bits >> bit & ((1 << target) - 1)
      if column == 0 { return false }
      for source in 0..<target where column >> source & 1 == 1 {
        rows[source] |= 1 << UInt64(target)
      }
      bit += target
    }
    return rows.dropLast().allSatisfy { $0 != 0 }
  }

  private static func power(_ base: Int, _ exponent: Int) -> Int {
    (0..<exponent).reduce(1) { product, _ in product * base }
  }
}
