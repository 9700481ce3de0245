// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
public import MUXImages

/// How often an epoch shows each image of a data set, where it is not once each.
///
/// An epoch still has as many images as the data set. Image i is drawn ⌊eᵢ⌋ or ⌈eᵢ⌉ times for its
/// expected number eᵢ, so that nothing is left to luck but the fraction; what an epoch draws follows
/// from the seed and the epoch alone.
public struct SampleShares: Sendable, Hashable {
  /// How often an epoch shows each image on average; the sum is the number of images.
  public let expected: [Double]

  /// Shares in proportion to weights, one an image, none of them negative and not all zero.
  public init(weights: [Double]) {
    let sum = weights.reduce(0, +)
    precondition(
      sum > 0 && sum.isFinite && weights.allSatisfy { $0 >= 0 }, "weights must not be negative")
    expected = weights.map { $0 / sum * Double(weights.count) }
  }

  /// Shares in which rare classes come up more often than they occur.
  ///
  /// A class of n images is drawn in proportion to n^(1 − strength): 0 leaves the data as it is, at 1
  /// all classes come up equally often. An image of several classes goes by the rarest of them, those of
  /// no class are a class of their own.
  public init(balancing dataSet: any ImageDataSet, strength: Double) {
    var counts = [Int](repeating: 0, count: dataSet.classNames.count + 1)
    let classes = (0..<dataSet.count).map { index in
      let own = dataSet.target(at: index).classes
      return own.isEmpty ? [dataSet.classNames.count] : own
    }
    for own in classes { for label in own { counts[label] += 1 } }
    self.init(
      weights: classes.map { own in
        let rarest = own.map { counts[$0] }.min() ?? 1
        return pow(Double(max(rarest, 1)), -strength)
      })
  }

  /// The images of an epoch in a random order: image i the first time is i, the second time
  /// i + count, and so on, so that each showing can be augmented in its own way.
  func draws(seed: UInt64, epoch: Int) -> [Int] {
    let count = expected.count
    var random = RandomStream(seed: seed, purpose: .sampling, indices: UInt64(epoch))
    // Systematic sampling: ticks at a distance of one on the line of all shares, in a random order.
    var next = random.uniform()
    var end = 0.0
    var draws: [Int] = []
    for index in random.permutation(count) {
      end += expected[index]
      var showing = 0
      while next < end, draws.count < count {
        draws.append(index + showing * count)
        showing += 1
        next += 1
      }
    }
    // The last tick may be lost to rounding.
    if draws.count < count, let last = expected.indices.max(by: { expected[$0] < expected[$1] }) {
      let showings = draws.count { $0 % count == last }
      draws.append(last + showings * count)
    }
    return random.permutation(draws.count).map { draws[$0] }
  }
}

extension RandomStream.Purpose {
  /// Which images an epoch draws.
  static let sampling = RandomStream.Purpose(rawValue: 5)
}
