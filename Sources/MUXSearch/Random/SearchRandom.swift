// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// A small random generator whose state can be saved.
///
/// There is no global stream: each one derives from a seed, a purpose and an index, so that the same
/// search gives the same candidates on any machine. (Generator: xoshiro256**. `RandomStream` derives
/// its streams in another way; the two keep their own, since saved searches go on with the numbers that
/// they began with.)
package struct SearchRandom: RandomNumberGenerator, Sendable, Hashable {
  private var generator: Xoshiro256

  /// The stream of a seed, a purpose such as `ask`, and an index within the purpose.
  package init(seed: UInt64, purpose: String, index: Int = 0) {
    let mixed = SplitMix64.mixed
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in purpose.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    var words = SplitMix64(
      seed: mixed(seed) ^ mixed(hash) &+ mixed(UInt64(bitPattern: Int64(index))))
    // The state of all zeros would stay there.
    generator = Xoshiro256(words.next(), words.next(), words.next(), words.next() | 1)
  }

  /// 64 random bits.
  package mutating func next() -> UInt64 { generator.next() }

  /// A number in 0..<1 with 53 random bits.
  package mutating func uniform() -> Double { generator.uniform() }

  /// A whole number in 0..<`bound`, exactly uniform.
  package mutating func below(_ bound: Int) -> Int { generator.below(bound) }
}

extension SearchRandom: Codable {
  private enum CodingKeys: String, CodingKey { case a, b, c, d }

  /// Reads the four words of the state.
  package init(from decoder: any Decoder) throws {
    let state = try decoder.container(keyedBy: CodingKeys.self)
    func word(_ key: CodingKeys) throws -> UInt64 { try state.decode(UInt64.self, forKey: key) }
    generator = try Xoshiro256(word(.a), word(.b), word(.c), word(.d))
  }

  /// Writes the four words of the state.
  package func encode(to encoder: any Encoder) throws {
    var state = encoder.container(keyedBy: CodingKeys.self)
    try state.encode(generator.s0, forKey: .a)
    try state.encode(generator.s1, forKey: .b)
    try state.encode(generator.s2, forKey: .c)
    try state.encode(generator.s3, forKey: .d)
  }
}
