// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A stream of random numbers that follows from a seed, a purpose and indices alone.
///
/// There is no global generator: each use derives its own stream, so that the draws for sample 17
/// of epoch 3 are the same whichever thread makes them, and whatever was drawn before.
/// (Generator: xoshiro256**, its state filled by SplitMix64.)
public struct RandomStream: RandomNumberGenerator, Sendable, Hashable, Codable {
  private var s0: UInt64
  private var s1: UInt64
  private var s2: UInt64
  private var s3: UInt64

  /// Makes the stream of a seed, a purpose and any indices (epoch, sample …).
  ///
  /// Streams that differ in any of the three are independent of each other.
  public init(seed: UInt64, purpose: Purpose, indices: UInt64...) {
    var hash = Self.mix(seed ^ 0x9e37_79b9_7f4a_7c15)
    hash = Self.mix(hash ^ purpose.rawValue)
    for index in indices { hash = Self.mix(hash &+ 0x9e37_79b9_7f4a_7c15 ^ Self.mix(index)) }
    s0 = Self.mix(hash &+ 0x9e37_79b9_7f4a_7c15)
    s1 = Self.mix(hash &+ 0x3c6e_f372_fe94_f82a)
    s2 = Self.mix(hash &+ 0xdaa6_6d2c_7ddf_743f)
    s3 = Self.mix(hash &+ 0x78dd_e6e5_fd29_f054) | 1  // never all zero
  }

  /// What a stream is for; the value is part of its derivation.
  public struct Purpose: RawRepresentable, Sendable, Hashable {
    /// The number that goes into the derivation.
    public var rawValue: UInt64
    /// Makes a purpose; numbers below 1,000 are the package's own.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The order of the samples of an epoch.
    public static let shuffle = Purpose(rawValue: 1)
    /// The augmentation of one sample.
    public static let augmentation = Purpose(rawValue: 2)
    /// A split of a data set in parts.
    public static let split = Purpose(rawValue: 3)
    /// Mixup and cutmix of one batch.
    public static let mixing = Purpose(rawValue: 4)
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    let product = s1 &* 5
    let result = ((product << 7) | (product >> 57)) &* 9
    let t = s1 << 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= t
    s3 = (s3 << 45) | (s3 >> 19)
    return result
  }

  /// A number drawn uniformly from [0, 1).
  public mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// A number drawn uniformly from [lower, upper).
  public mutating func uniform(_ lower: Double, _ upper: Double) -> Double {
    lower + (upper - lower) * uniform()
  }

  /// An integer drawn uniformly from 0 ..< bound, without bias.
  public mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "the bound of a random integer must be positive")
    let range = UInt64(bound)
    var (high, low) = range.multipliedFullWidth(by: next())
    if low < range {
      let threshold = (0 &- range) % range
      while low < threshold { (high, low) = range.multipliedFullWidth(by: next()) }
    }
    return Int(high)
  }

  /// True with the given probability.
  public mutating func chance(_ probability: Double) -> Bool {
    uniform() < probability
  }

  /// A number of the normal distribution of mean 0 and standard deviation 1.
  public mutating func normal() -> Double {
    // Box–Muller; 1 − u lies in (0, 1], so that the logarithm is finite.
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * Double.pi * uniform())
  }

  /// A number of the Beta(alpha, alpha') distribution on [0, 1].
  public mutating func beta(_ alpha: Double, _ alphaPrime: Double) -> Double {
    let x = gamma(alpha)
    let y = gamma(alphaPrime)
    return x + y > 0 ? x / (x + y) : (chance(0.5) ? 0 : 1)
  }

  /// A number of the Gamma(shape, 1) distribution (Marsaglia and Tsang, 2000).
  private mutating func gamma(_ shape: Double) -> Double {
    precondition(shape > 0, "the shape of a gamma distribution must be positive")
    if shape < 1 {
      let u = 1 - uniform()
      return gamma(shape + 1) * pow(u, 1 / shape)
    }
    let d = shape - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal()
      let cube = 1 + c * x
      guard cube > 0 else { continue }
      let v = cube * cube * cube
      let u = 1 - uniform()
      if log(u) < 0.5 * x * x + d - d * v + d * log(v) { return d * v }
    }
  }

  /// The numbers 0 ..< count in random order (Fisher–Yates).
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    var last = count - 1
    while last > 0 {
      order.swapAt(last, below(last + 1))
      last -= 1
    }
    return order
  }
}
