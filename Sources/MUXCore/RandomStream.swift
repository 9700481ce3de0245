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
public struct RandomStream: RandomNumberGenerator, Sendable, Hashable {
  private var generator: Xoshiro256

  /// Makes the stream of a seed, a purpose and any indices (epoch, sample …).
  ///
  /// Streams that differ in any of the three are independent of each other.
  public init(seed: UInt64, purpose: Purpose, indices: UInt64...) {
    let mix = SplitMix64.mixed
    var hash = mix(seed ^ 0x9e37_79b9_7f4a_7c15)
    hash = mix(hash ^ purpose.rawValue)
    for index in indices { hash = mix(hash &+ 0x9e37_79b9_7f4a_7c15 ^ mix(index)) }
    var words = SplitMix64(seed: hash)
    // The state of all zeros would stay there.
    generator = Xoshiro256(words.next(), words.next(), words.next(), words.next() | 1)
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

  /// The next 64 random bits.
  public mutating func next() -> UInt64 { generator.next() }

  /// A number drawn uniformly from [0, 1).
  public mutating func uniform() -> Double { generator.uniform() }

  /// A number drawn uniformly from [lower, upper).
  public mutating func uniform(_ lower: Double, _ upper: Double) -> Double {
    lower + (upper - lower) * uniform()
  }

  /// An integer drawn uniformly from 0 ..< bound, without bias.
  public mutating func below(_ bound: Int) -> Int { generator.below(bound) }

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

extension RandomStream: Codable {
  private enum CodingKeys: String, CodingKey { case s0, s1, s2, s3 }

  /// Reads the four words of the state.
  public init(from decoder: any Decoder) throws {
    let state = try decoder.container(keyedBy: CodingKeys.self)
    func word(_ key: CodingKeys) throws -> UInt64 { try state.decode(UInt64.self, forKey: key) }
    generator = try Xoshiro256(word(.s0), word(.s1), word(.s2), word(.s3))
  }

  /// Writes the four words of the state.
  public func encode(to encoder: any Encoder) throws {
    var state = encoder.container(keyedBy: CodingKeys.self)
    try state.encode(generator.s0, forKey: .s0)
    try state.encode(generator.s1, forKey: .s1)
    try state.encode(generator.s2, forKey: .s2)
    try state.encode(generator.s3, forKey: .s3)
  }
}
