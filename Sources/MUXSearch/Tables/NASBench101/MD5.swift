// SPDX-License-Identifier: Apache-2.0
import Foundation

/// MD5 (RFC 1321), for the published fingerprints of NAS-Bench-101 only: it names records and
/// protects nothing.
enum MD5 {
  /// A digest as 32 hexadecimal digits.
  struct Hex: Comparable, CustomStringConvertible {
    let bytes: [UInt8]

    var description: String { String(decoding: bytes, as: UTF8.self) }

    static func < (left: Hex, right: Hex) -> Bool {
      left.bytes.lexicographicallyPrecedes(right.bytes)
    }
  }

  private static let shifts: [UInt32] = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]

  /// ⌊2³² |sin i|⌋ for i from 1 to 64.
  private static let sines: [UInt32] = (1...64).map { UInt32(4_294_967_296 * abs(sin(Double($0)))) }

  static func hex(_ bytes: some Collection<UInt8>) -> Hex {
    let digits = Array("0123456789abcdef".utf8)
    return Hex(bytes: digest(bytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }

  static func digest(_ bytes: some Collection<UInt8>) -> [UInt8] {
    var message = Array(bytes)
    let bits = UInt64(message.count) &* 8
    message.append(0x80)
    while message.count % 64 != 56 { message.append(0) }
    for place in 0..<8 { message.append(UInt8(truncatingIfNeeded: bits >> UInt64(8 * place))) }
    var state: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]
    for start in stride(from: 0, to: message.count, by: 64) {
      let words = (0..<16).map { word in
        (0..<4).reduce(UInt32(0)) {
          $0 | UInt32(message[start + 4 * word + $1]) << UInt32(8 * $1)
        }
      }
      round(&state, words)
    }
    return state.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) }
    }
  }

  private static func round(_ state: inout [UInt32], _ words: [UInt32]) {
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    for step in 0..<64 {
      let mixed: UInt32
      let word: Int
      switch step / 16 {
      case 0: (mixed, word) = ((b & c) | (~b & d), step)
      case 1: (mixed, word) = ((d & b) | (~d & c), (5 * step + 1) % 16)
      case 2: (mixed, word) = (b ^ c ^ d, (3 * step + 5) % 16)
      default: (mixed, word) = (c ^ (b | ~d), (7 * step) % 16)
      }
      let sum = a &+ mixed &+ sines[step] &+ words[word]
      let shift = shifts[step / 16 * 4 + step % 4]
      (a, d, c, b) = (d, c, b, b &+ (sum << shift | sum >> (32 - shift)))
    }
    state[0] &+= a
    state[1] &+= b
    state[2] &+= c
    state[3] &+= d
  }
}
