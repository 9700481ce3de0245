// SPDX-License-Identifier: Apache-2.0
import MUXNetworks

/// Bounds of all numbers in a space, far beyond any network of images. Spaces come from files: within
/// the bounds no count overflows, and every network is built in a moment.
extension NetworkSpace {
  private static let channels = 1...65_536
  private static let strides = 1...64
  private static let kernels = 1...31
  private static let repeats = 0...64
  private static let stages = 1...32
  /// The ratios that block strings can say.
  private static let squeezes = 0.0...16
  /// The choices of one gene, and of all together: each is tried when the reach of a space is found.
  private static let choices = 1...64
  private static let allChoices = 1...1_000
  /// The blocks of the deepest network.
  private static let blocks = 1...512

  /// The first number out of its bounds, by its key; nil if there is none.
  var excess: String? {
    first(
      Self.excess("inputSize", inputSize, 1...4_096),
      Self.excess("inputChannels", inputChannels, 1...4_096),
      Self.excess("classes", classes, 1...1_000_000),
      Self.excess("stemStride", stemStride, Self.strides),
      Self.excess("dropoutRate", dropoutRate, 0...1), Self.excess("stem", stem, Self.channels),
      Self.excess("head", head, 0...Self.channels.upperBound),
      Self.excess("number of first blocks", first.count, 0...Self.stages.upperBound))
      ?? first.enumerated().lazy.compactMap { excess(first: $0, $1) }.first
      ?? stages.lazy.compactMap(Self.excess).first ?? tail.flatMap(Self.excess) ?? sizeExcess
  }

  /// The space as a whole.
  private var sizeExcess: String? {
    let depth = stages.reduce(first.count) { $0 + 1 + ($1.repeats.max() ?? 0) }
    return Self.excess("number of stages", stages.count, Self.stages)
      ?? genes.lazy.filter { $0.choices > 0 }.compactMap {
        Self.excess("number of choices of \($0.name)", $0.choices, Self.choices)
      }.first
      ?? Self.excess(
        "number of choices of all genes", genes.reduce(0) { $0 + $1.choices }, Self.allChoices)
      ?? Self.excess("number of blocks of the deepest network", depth, Self.blocks)
  }

  /// A block string may name anything; what is not a block string is found later.
  private func excess(first place: Int, _ text: String) -> String? {
    guard let block = try? block(first: text, channels: 8) else { return nil }
    return Self.excess("first[\(place)]: repeats", block.repeats, 1...1)
      ?? Self.excess("first[\(place)]: stride", block.stride, Self.strides)
  }

  private static func excess(_ stage: Stage) -> String? {
    let name = stage.name
    let scales = stage.multiplexing.map { $0.split(separator: ".").count }
    return excess("\(name).stride", stage.stride, strides)
      ?? excess("\(name).groupWidth", stage.groupWidth, channels)
      ?? excess("\(name).width", stage.width, channels)
      ?? excess("\(name).repeats", stage.repeats, repeats)
      ?? excess("\(name).kernel", stage.kernel, kernels)
      ?? excess("\(name).squeeze", stage.squeeze, squeezes)
      ?? excess("\(name).leaveOut", stage.leaveOut, 0...0.99)
      ?? excess("\(name).reductionExpansion", stage.reductionExpansion, 0.01...64)
      ?? excess("\(name).expansion", stage.expansion, 0.01...64)
      ?? excess("number of scales of \(name).multiplexing", scales, 1...64)
  }

  private static func excess(_ tail: Tail) -> String? {
    excess("tail.width", tail.width, channels) ?? excess("tail.kernel", tail.kernel, kernels)
      ?? excess("tail.expansion", tail.expansion, 0.01...64)
      ?? excess("tail.squeeze", tail.squeeze, squeezes)
  }

  private static func excess<Value: Comparable>(
    _ key: String, _ values: [Value], _ range: ClosedRange<Value>
  ) -> String? {
    values.lazy.compactMap { excess(key, $0, range) }.first
  }

  private static func excess<Value: Comparable>(
    _ key: String, _ value: Value, _ range: ClosedRange<Value>
  ) -> String? {
    range.contains(value)
      ? nil : "\(key) must be from \(range.lowerBound) to \(range.upperBound), not \(value)"
  }

  private func first(_ defects: String?...) -> String? { defects.lazy.compactMap(\.self).first }
}
