// SPDX-License-Identifier: Apache-2.0

/// The order in which PyTorch's `DistributedSampler` gives samples to processes, for comparisons with runs
/// of PyTorch. (The trainer here has an order of its own, that of ``DataLoader`` with a ``LoaderShare``,
/// which is the same for every number of processes and shows no sample twice.)
public struct DistributedOrder: Sendable, Hashable {
  /// Samples of the data set, which all processes share.
  public var count: Int
  /// Processes that share them.
  public var ranks: Int
  /// Decides the order, together with the epoch.
  public var seed: UInt64
  /// Whether each epoch has an order of its own.
  public var shuffles: Bool
  /// Whether samples that are left over are left out; otherwise the first ones fill up.
  public var dropsLast: Bool

  /// An order.
  ///
  /// - Parameters:
  ///   - count: The samples, at least 1.
  ///   - ranks: The processes, at least 1.
  ///   - seed: Decides the order, together with the epoch.
  ///   - shuffles: Whether each epoch has an order of its own.
  ///   - dropsLast: Whether samples that are left over are left out.
  public init(
    count: Int, ranks: Int, seed: UInt64 = 0, shuffles: Bool = true, dropsLast: Bool = false
  ) {
    precondition(count > 0 && ranks > 0, "at least one sample and one process")
    self.count = count
    self.ranks = ranks
    self.seed = seed
    self.shuffles = shuffles
    self.dropsLast = dropsLast
  }

  /// The samples of each process.
  public var samplesPerRank: Int {
    dropsLast && count % ranks != 0
      ? max((count - ranks + ranks - 1) / ranks, 0) : (count + ranks - 1) / ranks
  }

  /// All samples in the order of an epoch.
  public func order(ofEpoch epoch: Int) -> [Int] {
    var order = Array(0..<count)
    guard shuffles else { return order }
    // As `torch.randperm` on the CPU, with a generator of that seed.
    var random = MersenneTwister(seed: UInt32(truncatingIfNeeded: seed &+ UInt64(epoch)))
    for index in 0..<max(count - 1, 0) {
      order.swapAt(index, index + Int(random.next()) % (count - index))
    }
    return order
  }

  /// The samples of a process in an epoch.
  public func samples(of rank: Int, epoch: Int) -> [Int] {
    let order = order(ofEpoch: epoch)
    let total = samplesPerRank * ranks
    return stride(from: rank, to: total, by: ranks).map { order[$0 % count] }
  }
}

/// MT19937 (Matsumoto and Nishimura 1998), PyTorch's generator on the CPU.
struct MersenneTwister {
  private static let size = 624
  private var state: [UInt32]
  private var place = MersenneTwister.size

  init(seed: UInt32) {
    state = [seed]
    for index in 1..<Self.size {
      let last = state[index - 1]
      state.append(1_812_433_253 &* (last ^ (last >> 30)) &+ UInt32(index))
    }
  }

  mutating func next() -> UInt32 {
    if place == Self.size { refill() }
    var value = state[place]
    place += 1
    value ^= value >> 11
    value ^= (value << 7) & 0x9d2c_5680
    value ^= (value << 15) & 0xefc6_0000
    return value ^ (value >> 18)
  }

  private mutating func refill() {
    for index in 0..<Self.size {
      let mixed =
        (state[index] & 0x8000_0000) | (state[(index + 1) % Self.size] & 0x7fff_ffff)
      state[index] =
        state[(index + 397) % Self.size] ^ (mixed >> 1) ^ (mixed & 1 == 1 ? 0x9908_b0df : 0)
    }
    place = 0
  }
}
