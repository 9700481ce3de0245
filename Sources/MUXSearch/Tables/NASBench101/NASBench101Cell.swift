// SPDX-License-Identifier: Apache-2.0

/// A cell of NAS-Bench-101 (Ying et al., ICML 2019): a directed acyclic graph from an input to an
/// output with an operation at each vertex between them.
package struct NASBench101Cell: Sendable, Hashable {
  /// The most vertices of the benchmark's cells, input and output included.
  package static let mostVertices = 7
  /// The most edges of the benchmark's cells, counted after pruning.
  package static let mostEdges = 9

  /// The operation of an inner vertex. The raw values are the labels of the published hash.
  package enum Operation: Int, Sendable, Hashable, CaseIterable {
    /// 3×3 convolution, batch norm, ReLU.
    case convolution3
    /// 1×1 convolution, batch norm, ReLU.
    case convolution1
    /// 3×3 max pool.
    case maxPool3

    /// The benchmark's name.
    package var name: String {
      switch self {
      case .convolution3: "conv3x3-bn-relu"
      case .convolution1: "conv1x1-bn-relu"
      case .maxPool3: "maxpool3x3"
      }
    }

    /// The operation of a name.
    package init?(name: some StringProtocol) {
      guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
      self = found
    }
  }

  /// What is wrong with a cell.
  package enum Defect: String, Error, Sendable, Hashable, CustomStringConvertible {
    /// The matrix is not square, has fewer than two rows, more than 64, or entries beside 0 and 1.
    case matrix = "the matrix must be square, of 2 to 64 rows, with entries 0 and 1"
    /// An edge runs backwards.
    case order = "edges must run from a vertex to a later one (upper triangle)"
    /// The labels do not fit.
    case labels = "labels must be input, operations of the benchmark, output, one for each vertex"
    /// Nothing connects the input with the output.
    case disconnected = "no path leads from the input to the output"
    /// More vertices than the benchmark has.
    case vertices = "more than 7 vertices remain after pruning"
    /// More edges than the benchmark has.
    case edges = "more than 9 edges remain after pruning"

    package var description: String { rawValue }
  }

  /// For each vertex, a bit for each vertex that it feeds. Vertex 0 is the input, the last the output.
  package let successors: [UInt64]
  /// The operations of the vertices between input and output.
  package let operations: [Operation]

  /// A cell from bit masks that are known to run forwards.
  init(successors: [UInt64], operations: [Operation]) {
    self.successors = successors
    self.operations = operations
  }

  /// A cell from its matrix (row = source) and labels (`input`, operations, `output`), as the
  /// benchmark's interface takes them.
  ///
  /// - Throws: ``Defect``; connection and limits are checked by ``pruned()``.
  package init(matrix: [[Int]], labels: [String]) throws(Defect) {
    guard (2...64).contains(matrix.count),
      matrix.allSatisfy({ $0.count == matrix.count && $0.allSatisfy { (0...1).contains($0) } })
    else { throw .matrix }
    guard labels.count == matrix.count, labels.first == "input", labels.last == "output" else {
      throw .labels
    }
    var operations: [Operation] = []
    for label in labels.dropFirst().dropLast() {
      guard let operation = Operation(name: label) else { throw .labels }
      operations.append(operation)
    }
    var successors: [UInt64] = []
    for (row, entries) in matrix.enumerated() {
      var bits: UInt64 = 0
      for (column, entry) in entries.enumerated() where entry == 1 {
        guard column > row else { throw .order }
        bits |= 1 << UInt64(column)
      }
      successors.append(bits)
    }
    self.init(successors: successors, operations: operations)
  }

  /// The vertices, input and output included.
  package var vertexCount: Int { successors.count }

  package var edgeCount: Int { successors.reduce(0) { $0 + $1.nonzeroBitCount } }

  /// Whether an edge runs from one vertex to another.
  @inline(__always)
  package func hasEdge(_ source: Int, _ target: Int) -> Bool {
    successors[source] >> UInt64(target) & 1 == 1
  }

  /// The adjacency matrix, row = source.
  package var matrix: [[Int]] {
    (0..<vertexCount).map { row in (0..<vertexCount).map { hasEdge(row, $0) ? 1 : 0 } }
  }

  /// The labels: `input`, operations, `output`.
  package var labels: [String] { ["input"] + operations.map(\.name) + ["output"] }

  /// The cell without the vertices that the input does not reach or that do not reach the output.
  ///
  /// - Throws: ``Defect`` if input and output are not connected, or if what remains is larger than
  ///   the benchmark's cells: the limits hold after pruning.
  package func pruned() throws(Defect) -> NASBench101Cell {
    let last = vertexCount - 1
    var fromInput: UInt64 = 1
    for vertex in 0...last where fromInput >> UInt64(vertex) & 1 == 1 {
      fromInput |= successors[vertex]
    }
    var toOutput: UInt64 = 1 << UInt64(last)
    for vertex in stride(from: last - 1, through: 0, by: -1)
    where successors[vertex] & toOutput != 0 {
      toOutput |= 1 << UInt64(vertex)
    }
    let used = fromInput & toOutput
    guard used & 1 == 1, used >> UInt64(last) & 1 == 1 else { throw .disconnected }
    let kept = (0...last).filter { used >> UInt64($0) & 1 == 1 }
    guard kept.count <= Self.mostVertices else { throw .vertices }
    let rows = kept.map { source -> UInt64 in
      var bits: UInt64 = 0
      for (place, target) in kept.enumerated() where hasEdge(source, target) {
        bits |= 1 << UInt64(place)
      }
      return bits
    }
    let cell = NASBench101Cell(
      successors: rows, operations: kept.dropFirst().dropLast().map { operations[$0 - 1] })
    guard cell.edgeCount <= Self.mostEdges else { throw .edges }
    return cell
  }
}
