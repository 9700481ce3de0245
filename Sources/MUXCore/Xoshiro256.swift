// SPDX-License-Identifier: Apache-2.0

/// The generator behind all random streams: xoshiro256** of Blackman and Vigna.
package struct Xoshiro256: RandomNumberGenerator, Sendable, Hashable {
  package var s0: UInt64
  package var s1: UInt64
  package var s2: UInt64
  package var s3: UInt64

  /// A generator of a state, which stays where it is if all of it is zero.
  package init(_ s0: UInt64, _ s1: UInt64, _ s2: UInt64, _ s3: UInt64) {
    self.s0 = s0
    self.s1 = s1
    self.s2 = s2
    self.s3 = s3
  }

  /// The next 64 random bits.
  @inline(__always)
  package mutating func next() -> UInt64 {
    let product = s1 &* 5
    let result = ((product << 7) | (product >> 57)) &* 9
    let shifted = s1 << 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = (s3 << 45) | (s3 >> 19)
    return result
  }

  /// A number drawn uniformly from 0 ..< 1, with 53 random bits.
  @inline(__always)
  package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A whole number drawn uniformly from 0 ..< `bound`, without bias.
  @inline(__always)
  package mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "below(_:) needs a bound above 0, not \(bound)")
    let bound = UInt64(bound)
    var product = next().multipliedFullWidth(by: bound)
    if product.low < bound {
      let threshold = (0 &- bound) % bound
      while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
    }
    return Int(product.high)
  }
}
