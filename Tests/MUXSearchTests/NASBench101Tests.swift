// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import Testing

@Suite struct NASBench101Tests {
  typealias Cell = NASBench101Cell

  /// The Inception-like cell of the benchmark's documentation.
  static let inceptionLabels = [
    "input", "conv1x1-bn-relu", "conv3x3-bn-relu", "conv3x3-bn-relu", "conv3x3-bn-relu",
    "maxpool3x3", "output",
  ]
  static let inceptionMatrix = [
    [0, 1, 1, 1, 0, 1, 0], [0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 1, 0, 0],
    [0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0],
  ]

  private static func cell(_ rows: [String], _ operations: [Cell.Operation]? = nil) throws -> Cell {
    let labels =
      operations?.map(\.name)
      ?? [String](repeating: "conv3x3-bn-relu", count: rows.count - 2)
    return try Cell(
      matrix: rows.map { $0.compactMap(\.wholeNumberValue) },
      labels: ["input"] + labels + ["output"])
  }

  @Test("Fingerprints are those of the published rule, computed with Python's hashlib")
  func hashes() throws {
    let inception = try Cell(matrix: Self.inceptionMatrix, labels: Self.inceptionLabels)
    #expect(try inception.pruned().publishedHash == "28cfc7874f6d200472e1a9dcd8650aa0")
    #expect(try Self.cell(["01", "00"]).publishedHash == "043721b9c7fe8c5fad811d47d83132ec")
    #expect(
      try Self.cell(["010", "001", "000"], [.maxPool3]).publishedHash
        == "53cee42601ad14d661bb6878031d6acb")
  }

  @Test("Isomorphic cells have one fingerprint and one key, others differ")
  func isomorphism() throws {
    let first = try Self.cell(
      ["01100", "00010", "00001", "00001", "00000"],
      [.convolution3, .maxPool3, .convolution1])
    // The same with the inner vertices in another order.
    let second = try Self.cell(
      ["01100", "00001", "00010", "00001", "00000"],
      [.maxPool3, .convolution3, .convolution1])
    let third = try Self.cell(
      ["01100", "00001", "00010", "00001", "00000"],
      [.convolution3, .maxPool3, .convolution1])
    #expect(first.publishedHash == second.publishedHash)
    #expect(first.key == second.key)
    #expect(first.publishedHash != third.publishedHash)
    #expect(first.key != third.key)
  }

  @Test(
    "Channels are shared out as in the benchmark's code",
    arguments: [
      (["0110", "0001", "0001", "0000"], 8, 15, [8, 8, 7, 15]),
      (["01110", "00001", "00001", "00001", "00000"], 8, 8, [8, 3, 3, 2, 8]),
      (["01010", "00101", "00010", "00001", "00000"], 8, 15, [8, 8, 7, 7, 15]),
      (["01000", "00110", "00001", "00001", "00000"], 8, 9, [8, 5, 5, 4, 9]),
    ])
  func channels(_ rows: [String], _ input: Int, _ output: Int, _ expected: [Int]) throws {
    #expect(try Self.cell(rows).channels(input: input, output: output) == expected)
  }

  @Test("Parameter counts are the published ones")
  func parameters() throws {
    let inception = try Cell(matrix: Self.inceptionMatrix, labels: Self.inceptionLabels)
    #expect(try inception.pruned().parameterCount == 2_694_282)
    #expect(try Self.cell(["01", "00"]).parameterCount == 882_570)
    let single = ["010", "001", "000"]
    #expect(try Self.cell(single, [.convolution3]).parameterCount == 10_177_674)
    #expect(try Self.cell(single, [.convolution1]).parameterCount == 1_920_138)
    #expect(try Self.cell(single, [.maxPool3]).parameterCount == 882_570)
  }

  @Test("Pruning removes what the input does not reach or what does not reach the output")
  func pruning() throws {
    // Vertex 1 is a dead end, vertex 3 has no input; 0 → 2 → 4 is left.
    let cell = try Self.cell(
      ["01100", "00000", "00001", "00001", "00000"],
      [.convolution3, .maxPool3, .convolution1])
    let pruned = try cell.pruned()
    #expect(pruned.matrix == [[0, 1, 0], [0, 0, 1], [0, 0, 0]])
    #expect(pruned.labels == ["input", "maxpool3x3", "output"])
    #expect(throws: Cell.Defect.disconnected) {
      try Self.cell(["010", "000", "000"]).pruned()
    }
    // Ten edges on six vertices are too many, though some of seven vertices may be pruned away.
    #expect(throws: Cell.Defect.edges) {
      try Self.cell(["011110", "001110", "000111", "000001", "000001", "000000"]).pruned()
    }
    let large = [
      "01000000", "00100000", "00010000", "00001000", "00000100", "00000010", "00000001",
    ]
    #expect(throws: Cell.Defect.vertices) { try Self.cell(large + ["00000000"]).pruned() }
  }

  @Test("Impossible cells are refused by name")
  func badCells() {
    #expect(throws: Cell.Defect.matrix) {
      try Cell(matrix: [[0, 1]], labels: ["input", "output"])
    }
    #expect(throws: Cell.Defect.matrix) {
      try Cell(matrix: [[0, 2], [0, 0]], labels: ["input", "output"])
    }
    #expect(throws: Cell.Defect.order) {
      try Cell(matrix: [[0, 1], [1, 0]], labels: ["input", "output"])
    }
    #expect(throws: Cell.Defect.labels) {
      try Cell(matrix: [[0, 1], [0, 0]], labels: ["output", "input"])
    }
    #expect(throws: Cell.Defect.labels) {
      try Cell(
        matrix: [[0, 1, 0], [0, 0, 1], [0, 0, 0]], labels: ["input", "conv5x5", "output"])
    }
  }

  @Test(
    "The enumeration finds the known numbers of cells",
    arguments: [(2, 1), (3, 6), (4, 84), (5, 2441)])
  func smallEnumeration(_ vertices: Int, _ count: Int) throws {
    let cells = NASBench101Enumeration.cells(vertices: vertices)
    #expect(cells.count == count)
    #expect(Set(cells.map(\.publishedHash)).count == count)
    for cell in cells.prefix(100) { #expect(try cell.pruned() == cell) }
  }

  @Test(
    "All 423,624 cells, with the known least, greatest, mean and median parameters",
    .enabled(if: !isDebugBuild, "takes long without optimisation"))
  func fullEnumeration() {
    let cells = NASBench101Enumeration.all()
    #expect(cells.count == NASBench101Enumeration.cellCount)
    let counts = cells.map(\.parameterCount).sorted()
    #expect(counts.first == 227_274)
    #expect(counts.last == 49_979_274)
    let mean = Double(counts.reduce(0, +)) / Double(counts.count)
    #expect(abs(mean - 8_459_761.9) < 0.05)
    let middle = counts.count / 2
    #expect((counts[middle - 1] + counts[middle]) / 2 == 5_356_682)
    #expect(Set(counts).count == 3336)
  }

  private static let isDebugBuild: Bool = {
    var isDebug = false
    assert({ isDebug = true }() == ())
    return isDebug
  }()

  @Test("Genomes and cells of the search space turn into one another")
  func domain() throws {
    let domain = NASBench101Domain()
    #expect(domain.genes.count == 26)
    for cell in NASBench101Enumeration.cells(vertices: 5).prefix(300) {
      let genome = domain.genome(cell)
      #expect(try domain.cell(genome).pruned() == cell)
      #expect(domain.canonical(genome) == genome)
      #expect(domain.key(of: genome) == cell.key)
      #expect(domain.knownObjectives(of: genome)?[1] == Double(cell.parameterCount))
    }
    let empty = Genome([Int](repeating: 0, count: 26))
    #expect(domain.canonical(empty) == nil)
  }
}
