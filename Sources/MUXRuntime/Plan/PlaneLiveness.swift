// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks

/// For each plane that a network computes, the last node that reads it, seen through the
/// operations that only choose among planes.
struct PlaneLiveness {
  private var planes: [[Int32]] = []
  private var lastUse: [Int] = []
  private let inputPlanes: [Int32]

  init(_ network: Network, shapes: [Shape], inputSize: ImageSize) {
    inputPlanes = (0..<Int32(network.inputChannels)).map { $0 }
    lastUse = Array(repeating: -1, count: network.inputChannels)
    planes.reserveCapacity(network.nodes.count)
    for (index, node) in network.nodes.enumerated() {
      let inputs = network.inputIndices[index].map { $0 < 0 ? inputPlanes : planes[$0] }
      // A flatten of single values keeps its planes.
      switch node.operation.effect {
      case .selects(let selection):
        planes.append(selection(inputs))
        continue
      case .reshapes where inputs[0].count == shapes[index].channels:
        planes.append(inputs[0])
        continue
      case .computes, .elementwise, .reshapes: break
      }
      for input in inputs {
        for plane in input { lastUse[Int(plane)] = index }
      }
      // A flatten of images makes many features; they are never overwritten, so one id will do.
      let count = Int32(shapes[index].channels)
      let first = Int32(lastUse.count)
      planes.append((first..<first + count).map { $0 })
      lastUse.append(contentsOf: repeatElement(index, count: Int(count)))
    }
    for output in network.outputIndices {
      for plane in planes[output] { lastUse[Int(plane)] = .max }
    }
  }

  /// Whether no node after `node` reads the planes of `index`, which are all different.
  func isLastUse(of index: Int, by node: Int) -> Bool {
    let own = index < 0 ? inputPlanes : planes[index]
    return own.allSatisfy { lastUse[Int($0)] <= node } && Set(own).count == own.count
  }
}
