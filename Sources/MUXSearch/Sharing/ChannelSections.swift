// SPDX-License-Identifier: Apache-2.0
import MUXNetworks

/// One of the slices into which a spatial convolution divides its channels.
struct BranchSlice: Hashable {
  var channels: Int
  /// Channels that stay together: a group, or those that one superpixel is made of.
  var unit: Int
  /// What happens to its space.
  var scale: SpatialMultiplexing
  /// The channels of a multiplexed window, r².
  var window: Int
}

extension BlockSpecification {
  /// How the block's spatial convolution divides so many channels: evenly, a remainder to the first.
  func slices(of channels: Int) -> [BranchSlice] {
    let count = max(scales.count, kernelSizes.count)
    let (share, window) = (channels / count, multiplexingFactor * multiplexingFactor)
    return (0..<count).map { index in
      let scale = scales.isEmpty ? .none : scales[index]
      return BranchSlice(
        channels: index == 0 ? channels - share * (count - 1) : share,
        unit: scale == .superpixel ? window : groupWidth, scale: scale, window: window)
    }
  }
}

/// The expanded channels that the blocks of a family share.
///
/// They lie in equal sections, so many that each slice of every slicing covers whole ones. A block with
/// fewer channels takes the first ones of each section: a plain prefix of all channels would move them
/// from one branch to another.
struct ChannelSections: Hashable {
  /// Where each section begins, and behind the last one where it ends.
  private(set) var starts = [0]

  /// More sections than this are no sharing.
  private static let most = 1024

  var count: Int { starts.count - 1 }
  var channels: Int { starts[starts.count - 1] }

  /// Sections that hold every one of these slicings; nil where their numbers of slices have no common
  /// multiple worth the name.
  init?(holding slicings: [[BranchSlice]]) {
    let count = slicings.reduce(1) { Self.multiple($0, $1.count) }
    guard count <= Self.most else { return nil }
    let unit = slicings.joined().reduce(1) { Self.multiple($0, $1.unit) }
    var capacities = [Int](repeating: 0, count: count)
    for slices in slicings {
      var section = 0
      for slice in slices {
        for size in Self.counts(slice, among: count / slices.count) {
          capacities[section] = max(capacities[section], size)
          section += 1
        }
      }
    }
    for capacity in capacities {
      // Whole units, so that each section begins with one.
      starts.append(channels + (capacity + unit - 1) / unit * unit)
    }
  }

  /// The channels of each slice, those of one section after the other.
  func channels(of slices: [BranchSlice]) -> [[Int]] {
    let width = count / max(slices.count, 1)
    return slices.enumerated().map { index, slice in
      Self.counts(slice, among: width).enumerated().flatMap { offset, size in
        let start = starts[index * width + offset]
        return Array(start..<start + size)
      }
    }
  }

  /// Where the channels of a slice begin.
  func start(of slice: Int, among slices: Int) -> Int { starts[slice * (count / slices)] }

  /// How many channels a slice takes from each of its sections.
  private static func counts(_ slice: BranchSlice, among sections: Int) -> [Int] {
    let unit = slice.channels % slice.unit == 0 ? slice.unit : 1
    let units = slice.channels / unit
    return (0..<sections).map {
      ($0 == 0 ? units / sections + units % sections : units / sections) * unit
    }
  }

  private static func multiple(_ left: Int, _ right: Int) -> Int {
    var (a, b) = (left, right)
    while b != 0 { (a, b) = (b, a % b) }
    return a == 0 ? 0 : left / a * right
  }
}
