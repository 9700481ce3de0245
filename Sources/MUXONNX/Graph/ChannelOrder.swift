// SPDX-License-Identifier: Apache-2.0
import MUXNetworks

/// Where the channels of a network's value are in the tensor that stands for it.
///
/// Layers that treat all channels alike pass the order on; convolutions take it into their weights.
struct ChannelOrder: Hashable {
  /// `positions[c]` is where channel c of the network's value is.
  let positions: [Int]
  /// `channels[p]` is the channel at position p.
  let channels: [Int]

  /// An order, nil for that of the network.
  init?(positions: [Int]) {
    guard !positions.elementsEqual(positions.indices) else { return nil }
    self.positions = positions
    var channels = positions
    for (channel, position) in positions.enumerated() { channels[position] = channel }
    self.channels = channels
  }

  /// The order in which each channel has become `count` neighbours.
  func expanded(by count: Int) -> ChannelOrder? {
    ChannelOrder(
      positions: positions.flatMap { position in (0..<count).map { position * count + $0 } })
  }

  /// The order after a shuffle: channel i·g + j is channel j·C/g + i of the value before.
  static func shuffled(_ order: ChannelOrder?, channels: Int, groups: Int) -> ChannelOrder? {
    let width = channels / groups
    let sources = (0..<channels).map { $0 % groups * width + $0 / groups }
    return ChannelOrder(positions: sources.map { order?.positions[$0] ?? $0 })
  }

  /// The order of values behind each other.
  static func concatenated(_ parts: [(order: ChannelOrder?, count: Int)]) -> ChannelOrder? {
    var positions: [Int] = []
    for (order, count) in parts {
      let start = positions.count
      positions += (0..<count).map { start + (order?.positions[$0] ?? $0) }
    }
    return ChannelOrder(positions: positions)
  }
}

/// A value of the network inside the graph.
struct GraphValue {
  /// The tensor's name in the graph.
  var name: String
  /// The shape of one image.
  var shape: Shape
  /// Whether it is [N, F] instead of [N, C, H, W].
  var isFlat = false
  /// The order of its channels, nil for that of the network.
  var order: ChannelOrder?
}
