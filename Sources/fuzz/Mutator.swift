// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// Changes inputs in the ways that find faults in readers, all decided by a seed.
struct Mutator {
  // A seed gives the same inputs everywhere.
  private var random: SplitMix64
  private let words: [[UInt8]]

  /// - Parameter words: Pieces of the format that mutations put in.
  init(seed: UInt64, words: [String]) {
    random = SplitMix64(seed: seed)
    self.words = words.map { Array($0.utf8) }
  }

  /// One of the inputs with one to eight changes.
  mutating func mutated(_ inputs: [[UInt8]]) -> [UInt8] {
    var bytes = inputs[below(inputs.count)]
    for _ in 0...below(8) { change(&bytes, inputs) }
    return bytes
  }

  private mutating func below(_ bound: Int) -> Int {
    Int.random(in: 0..<max(bound, 1), using: &random)
  }

  private mutating func change(_ bytes: inout [UInt8], _ inputs: [[UInt8]]) {
    guard !bytes.isEmpty else {
      bytes = inputs[below(inputs.count)]
      return
    }
    let place = below(bytes.count)
    switch below(11) {
    case 0: bytes[place] ^= 1 << UInt8(below(8))
    case 1: bytes[place] = UInt8(truncatingIfNeeded: random.next())
    case 2: bytes.removeLast(bytes.count - place)
    case 3: bytes.removeSubrange(piece(bytes, from: place))
    case 4:
      let other = inputs[below(inputs.count)]
      guard !other.isEmpty else { return }
      bytes.insert(contentsOf: other[piece(other, from: below(other.count))], at: place)
    case 5: bytes.insert(contentsOf: bytes[piece(bytes, from: place)], at: below(bytes.count))
    case 6, 7: overwriteInteger(&bytes, at: place)
    case 8, 9: replaceNumber(&bytes, near: place)
    default:
      guard !words.isEmpty else { return }
      bytes.insert(contentsOf: words[below(words.count)], at: place)
    }
    // Without a bound, repeated pieces would grow.
    if bytes.count > 1 << 20 { bytes.removeLast(bytes.count - 1 << 20) }
  }

  private mutating func piece(_ bytes: [UInt8], from place: Int) -> Range<Int> {
    place..<min(bytes.count, place + 1 + below(1 << below(8)))
  }

  /// Sizes, offsets and counts at the ends of their ranges, in 1 to 8 bytes.
  private mutating func overwriteInteger(_ bytes: inout [UInt8], at place: Int) {
    let extremes: [UInt64] = [
      0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 40,
      1 << 62, 0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000, .max, UInt64(bytes.count),
    ]
    var value = extremes[below(extremes.count)]
    if below(3) == 0 { value = value &+ UInt64(below(5)) &- 2 }
    let width = min(1 << below(4), bytes.count - place)
    for byte in 0..<width {
      bytes[place + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))
    }
  }

  /// Another number in the place of the next one that is written in digits.
  private mutating func replaceNumber(_ bytes: inout [UInt8], near place: Int) {
    func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    guard let start = bytes[place...].firstIndex(where: isDigit) else { return }
    let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
    let numbers = [
      "0", "-1", "1", "2", "3", "255", "65536", "2147483647", "-2147483648", "4294967296",
      "9223372036854775807", "-9223372036854775808", "9223372036854775808", "1e400", "-1e400",
      "1e-400", "0.5", ".nan", ".inf", "nan", "null", "\"\"", "[]", "{}",
    ]
    bytes.replaceSubrange(start..<end, with: numbers[below(numbers.count)].utf8)
  }
}
