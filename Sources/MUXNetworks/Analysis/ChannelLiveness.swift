// SPDX-License-Identifier: Apache-2.0

/// For each channel that a network computes, the last node that reads it, seen through the operations
/// that only choose among channels.
package struct ChannelLiveness: Sendable {
  private var channels: [[Int32]] = []
  private var lastUse: [Int] = []
  private let inputChannels: [Int32]

  /// The last uses of all channels of a network.
  package init(_ analysis: NetworkAnalysis) {
    let (network, shapes) = (analysis.network, analysis.shapes)
    inputChannels = (0..<Int32(network.inputChannels)).map { $0 }
    lastUse = Array(repeating: -1, count: network.inputChannels)
    channels.reserveCapacity(network.nodes.count)
    for (index, node) in network.nodes.enumerated() {
      let inputs = network.inputIndices[index].map { $0 < 0 ? inputChannels : channels[$0] }
      // A flatten of single values keeps its channels.
      switch node.operation.effect {
      case .selects(let selection):
        channels.append(selection(inputs))
        continue
      case .reshapes where inputs[0].count == shapes[index].channels:
        channels.append(inputs[0])
        continue
      case .computes, .elementwise, .reshapes: break
      }
      for input in inputs {
        for channel in input { lastUse[Int(channel)] = index }
      }
      // A flatten of images makes many features; they are never overwritten, so one id will do.
      let count = Int32(shapes[index].channels)
      let first = Int32(lastUse.count)
      channels.append((first..<first + count).map { $0 })
      lastUse += Array(repeating: index, count: Int(count))
    }
    for output in network.outputIndices {
      for channel in channels[output] { lastUse[Int(channel)] = .max }
    }
  }

  /// Whether no node after `node` reads the channels of `index`, which are all different.
  package func isLastUse(of index: Int, by node: Int) -> Bool {
    let own = index < 0 ? inputChannels : channels[index]
    return own.allSatisfy { lastUse[Int($0)] <= node } && Set(own).count == own.count
  }
}
