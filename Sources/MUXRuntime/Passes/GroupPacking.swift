// SPDX-License-Identifier: Apache-2.0

/// VNNI packing: weights as groups of 32 bits with two values of bfloat16 or four of 8 bits.
struct GroupPacking {
  /// The groups, in the order of the kernels.
  var groups: [Int32]
  /// For each lane of each block: what 1 of a weight's integer is worth (8 bits only).
  var scale: [Float]
  /// For each lane of each block: the sum of the integers (8 bits only).
  var sums: [Float]
  /// Whether all weights are in the precision's range. If not, the groups hold nothing of use.
  let isFinite: Bool
  /// Lanes whose weights are not 0, but too small for a scale of 8 bits: their groups are 0.
  private(set) var vanished = 0

  /// Groups from floats [block][term][lane], whose number of terms is a multiple of a group's.
  ///
  /// - Parameter taps: The values of a group are this many terms apart: [row][tap] by rows.
  init(_ weights: [Float], blocks: Int, lanes: Int, precision: Precision, taps: Int = 1) {
    let terms = blocks == 0 ? 0 : weights.count / blocks / lanes
    let values = precision.valuesPerGroup
    // From here on a float is rounded to an infinite bfloat16.
    let limit: UInt32 = precision == .bfloat16 ? 0x7f7f_8000 : 0x7f80_0000
    isFinite = weights.reduce(UInt32(0)) { max($0, $1.bitPattern & 0x7fff_ffff) } < limit
    scale = []
    sums = []
    groups = []
    groups.reserveCapacity(weights.count / values)
    for block in 0..<blocks {
      let first = block * terms * lanes
      var inverse = Array(repeating: Float(1), count: lanes)
      if precision == .int8 {
        for lane in 0..<lanes {
          var greatest: Float = 0
          for term in 0..<terms {
            greatest = max(greatest, abs(weights[first + term * lanes + lane]))
          }
          var unit = greatest > 0 ? greatest / 127 : 1
          // Below 2⁻¹²⁸ the inverse is infinite. Such weights are as good as 0, and become 0.
          if !(1 / unit).isFinite || !isFinite {
            unit = 1
            vanished += 1
          }
          scale.append(unit)
          inverse[lane] = 1 / unit
        }
      }
      var total = Array(repeating: Float(0), count: lanes)
      for row in 0..<terms / values / taps {
        for tap in 0..<taps {
          for lane in 0..<lanes {
            var group: UInt32 = 0
            for value in 0..<values {
              let term = (row * values + value) * taps + tap
              let weight = weights[first + term * lanes + lane]
              if precision == .int8 {
                let integer = (weight * inverse[lane]).rounded(.toNearestOrEven)
                total[lane] += integer
                group |= UInt32(Self.byte(integer)) << UInt32(8 * value)
              } else {
                group |= UInt32(Self.bfloat16(weight)) << UInt32(16 * value)
              }
            }
            groups.append(Int32(bitPattern: group))
          }
        }
      }
      if precision == .int8 { sums += total }
    }
  }

  /// The two's complement of an integer within a byte; what is beyond becomes the nearest, and 0 what
  /// is no number.
  static func byte(_ integer: Float) -> UInt8 {
    UInt8(bitPattern: Int8(max(-128, min(127, integer.isNaN ? 0 : integer))))
  }

  /// The upper half of a float, rounded to the nearest (even) one.
  static func bfloat16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
  }

  /// The products' worth and the bias with the input's zero in it.
  ///
  /// - Parameter input: How what the weights are multiplied with is quantised.
  func adjusted(bias: [Float], input: Quantization) -> (scale: [Float], bias: [Float]) {
    guard !scale.isEmpty else { return ([], bias) }
    let products = scale.map { $0 * input.scale }
    return (products, bias.indices.map { bias[$0] - products[$0] * sums[$0] * input.zero })
  }
}
