// SPDX-License-Identifier: Apache-2.0

/// A small random generator whose state can be saved: xoshiro256**.
///
/// There is no global stream: each one derives from a seed, a purpose and an index, so that the same
/// search gives the same candidates on any machine.
public struct SearchRandom: RandomNumberGenerator, Sendable, Hashable, Codable {
  private var a: UInt64
  private var b: UInt64
  private var c: UInt64
  private var d: UInt64

  /// The stream of a seed, a purpose such as `ask`, and an index within the purpose.
  public init(seed: UInt64, purpose: String, index: Int = 0) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in purpose.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    var state = Self.mixed(seed) ^ Self.mixed(hash) &+ Self.mixed(UInt64(bitPattern: Int64(index)))
    func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      return Self.mixed(state)
    }
    a = next()
    b = next()
    c = next()
    d = next() | 1  // the all-zero state would stay there
  }

  /// The finalizer of SplitMix64: every bit of the input moves every bit of the output.
  static func mixed(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// 64 random bits.
  @inline(__always)
  public mutating func next() -> UInt64 {
    let product = b &* 5
    let result = ((product << 7) | (product >> 57)) &* 9
    let shifted = b << 17
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 45) | (d >> 19)
    return result
  }

  /// A number in 0..<1 with 53 random bits.
  @inline(__always)
  public mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// A whole number in 0..<`bound`, exactly uniform.
  @inline(__always)
  public mutating func below(_ bound: Int) -> Int {
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
