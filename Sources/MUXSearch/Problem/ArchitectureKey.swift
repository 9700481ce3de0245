// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// Tells architectures apart: equal keys mean the same network, which is then not evaluated twice.
public struct ArchitectureKey: Sendable, Hashable, Codable, CustomStringConvertible {
  /// The upper 64 bits.
  public var high: UInt64
  /// The lower 64 bits.
  public var low: UInt64

  /// A key of 128 bits.
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The key of a genome: its exact number in the space where that fits 64 bits, else a hash of 128
  /// bits, the same in every process.
  public init(_ genome: Genome, genes: [Gene]) {
    var index: UInt64 = 0
    var overflows = false
    for (value, gene) in zip(genome.values, genes) {
      let product = index.multipliedReportingOverflow(by: UInt64(gene.choices))
      let sum = product.partialValue.addingReportingOverflow(UInt64(value))
      overflows = overflows || product.overflow || sum.overflow
      index = sum.partialValue
    }
    guard overflows else {
      self.init(high: 0, low: index)
      return
    }
    var high: UInt64 = 0x6a09_e667_f3bc_c908
    var low: UInt64 = 0xbb67_ae85_84ca_a73b
    for value in genome.values {
      high = SplitMix64.mixed(high ^ UInt64(value) &+ 0x9e37_79b9_7f4a_7c15)
      low = SplitMix64.mixed(low &+ (UInt64(value) ^ high) &* 0xd6e8_feb8_6659_fd93)
    }
    self.init(high: high | 1 << 63, low: low)
  }

  /// 32 hexadecimal digits.
  public var description: String {
    func digits(_ word: UInt64) -> String {
      let text = String(word, radix: 16)
      return String(repeating: "0", count: 16 - text.count) + text
    }
    return digits(high) + digits(low)
  }
}
