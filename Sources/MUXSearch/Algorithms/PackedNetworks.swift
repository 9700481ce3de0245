// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Keys of networks as bytes: two words each, the least first, so that the same keys are the same text.
struct PackedKeys: Codable {
  private var words: Data

  init(_ keys: Set<ArchitectureKey>) {
    words = Data(capacity: 16 * keys.count)
    for key in keys.sorted(by: { ($0.high, $0.low) < ($1.high, $1.low) }) {
      words.append(key.high)
      words.append(key.low)
    }
  }

  init(from decoder: any Decoder) throws {
    words = try decoder.singleValueContainer().decode(Data.self)
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(words)
  }

  /// - Throws: `PackedNetworkError` where bytes are missing.
  var keys: Set<ArchitectureKey> {
    get throws {
      guard words.count % 16 == 0 else { throw PackedNetworkError() }
      var found: Set<ArchitectureKey> = []
      found.reserveCapacity(words.count / 16)
      words.withUnsafeBytes { bytes in
        for start in stride(from: 0, to: bytes.count, by: 16) {
          found.insert(
            ArchitectureKey(
              high: UInt64(
                littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)),
              low: UInt64(
                littleEndian: bytes.loadUnaligned(fromByteOffset: start + 8, as: UInt64.self))))
        }
      }
      return found
    }
  }
}

/// Evaluated networks as bytes: their genes as the smallest whole numbers that hold them, objectives and
/// violations as doubles.
struct PackedEntries: Codable {
  private var count: Int
  /// The bytes of a gene: 1, 2 or 4.
  private var geneBytes: Int
  private var objectives: Int
  private var genomes: Data
  private var values: Data
  /// Left out where none is broken, as almost always.
  private var violations: Data?

  init(_ entries: [SearchLedger.Entry]) {
    count = entries.count
    objectives = entries.first?.objectives.count ?? 0
    let most = entries.reduce(0) { max($0, $1.genome.values.max() ?? 0) }
    geneBytes = most <= 0xff ? 1 : most <= 0xffff ? 2 : 4
    genomes = Data(capacity: count * (entries.first?.genome.values.count ?? 0) * geneBytes)
    values = Data(capacity: 8 * count * objectives)
    for entry in entries {
      for value in entry.genome.values {
        var rest = value
        for _ in 0..<geneBytes {
          genomes.append(UInt8(truncatingIfNeeded: rest))
          rest >>= 8
        }
      }
      for value in entry.objectives { values.append(value.bitPattern) }
    }
    guard entries.contains(where: { $0.violation != 0 }) else { return }
    var broken = Data(capacity: 8 * count)
    for entry in entries { broken.append(entry.violation.bitPattern) }
    violations = broken
  }

  /// The networks of a space of these genes.
  ///
  /// - Throws: `PackedNetworkError` where bytes are missing, or are no choices of the genes.
  func entries(of genes: [Gene]) throws -> [SearchLedger.Entry] {
    guard count >= 0, count <= 1 << 32, [1, 2, 4].contains(geneBytes),
      (0...1000).contains(objectives), genes.count < 1 << 20,
      genomes.count == count * genes.count * geneBytes, values.count == 8 * count * objectives,
      violations.map({ $0.count == 8 * count }) ?? true
    else { throw PackedNetworkError() }
    var found: [SearchLedger.Entry] = []
    found.reserveCapacity(count)
    try genomes.withUnsafeBytes { genomes in
      try values.withUnsafeBytes { values in
        for index in 0..<count {
          var choices = [Int](repeating: 0, count: genes.count)
          for gene in genes.indices {
            let start = (index * genes.count + gene) * geneBytes
            for byte in 0..<geneBytes { choices[gene] |= Int(genomes[start + byte]) << (8 * byte) }
            guard choices[gene] < genes[gene].choices else { throw PackedNetworkError() }
          }
          found.append(
            .init(
              genome: Genome(choices),
              objectives: (0..<objectives).map { values.double(index * objectives + $0) },
              violation: violations?.withUnsafeBytes { $0.double(index) } ?? 0))
        }
      }
    }
    return found
  }
}

/// Bytes that are no networks.
struct PackedNetworkError: Error {}

extension Data {
  fileprivate mutating func append(_ word: UInt64) {
    Swift.withUnsafeBytes(of: word.littleEndian) { append(contentsOf: $0) }
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func double(_ place: Int) -> Double {
    Double(
      bitPattern: UInt64(littleEndian: loadUnaligned(fromByteOffset: 8 * place, as: UInt64.self)))
  }
}
