// SPDX-License-Identifier: Apache-2.0

/// What the readers of a network ask about its graph, found once: costs, fused training, the inference
/// runtime, ONNX and drawings all look here.
///
/// Positions are those in ``Network/nodes``; −1 is the network's input.
package struct NetworkAnalysis: Sendable {
  package let network: Network
  /// The nodes' output shapes for the images that the analysis is for.
  package let shapes: [Shape]
  /// The shape of these images.
  package let input: Shape
  private let readersByValue: [[Int]]
  private let isOutput: [Bool]
  /// The first slice of each value that begins with a channel.
  private let slices: [SlicePlace: Int]

  /// A value, and the channel with which a slice of it begins.
  private struct SlicePlace: Hashable {
    var value: Int
    var start: Int
  }

  /// The analysis of a network for images of `inputSize` (the network's own unless given).
  ///
  /// - Throws: ``NetworkError/shape(layer:reason:)`` naming the first layer that cannot run.
  package init(_ network: Network, inputSize: ImageSize? = nil) throws(NetworkError) {
    let size = inputSize ?? network.inputSize
    self.init(network, size, shapes: try network.shapes(inputSize: size))
  }

  /// The analysis of a network for the images that it was made for.
  package init(_ network: Network) {
    self.init(network, network.inputSize, shapes: network.ownShapes)
  }

  private init(_ network: Network, _ size: ImageSize, shapes: [Shape]) {
    self.network = network
    self.shapes = shapes
    input = Shape(channels: network.inputChannels, height: size.height, width: size.width)
    var readers = [[Int]](repeating: [], count: network.nodes.count + 1)
    var slices: [SlicePlace: Int] = [:]
    for (index, inputs) in network.inputIndices.enumerated() {
      for input in inputs { readers[input + 1].append(index) }
      guard case .slice(let slice) = network.nodes[index].operation else { continue }
      let place = SlicePlace(value: inputs[0], start: slice.start)
      if slices[place] == nil { slices[place] = index }
    }
    readersByValue = readers
    self.slices = slices
    var isOutput = [Bool](repeating: false, count: network.nodes.count)
    for output in network.outputIndices { isOutput[output] = true }
    self.isOutput = isOutput
  }

  /// What a node computes.
  package func operation(_ index: Int) -> Operation { network.nodes[index].operation }

  package func shape(_ value: Int) -> Shape { value < 0 ? input : shapes[value] }

  /// The nodes that read a value, in order; one that reads it twice stands there twice.
  package func readers(of value: Int) -> [Int] { readersByValue[value + 1] }

  /// The first slice of a value that begins with a channel, with its node.
  func slice(of value: Int, from channel: Int) -> (node: Int, slice: ChannelSlice)? {
    guard let node = slices[SlicePlace(value: value, start: channel)],
      case .slice(let slice) = operation(node)
    else { return nil }
    return (node, slice)
  }

  /// Whether the value of a node is an output of the network.
  package func isOutput(_ value: Int) -> Bool { value >= 0 && isOutput[value] }

  /// The only node that reads a value, if there is just one and the value is no output of the network.
  package func soleReader(of value: Int) -> Int? {
    let readers = readers(of: value)
    return readers.count == 1 && !isOutput(value) ? readers[0] : nil
  }

  /// The last node that reads a value; the number of nodes for an output, −1 for one that nobody reads.
  package func lastReader(of value: Int) -> Int {
    isOutput(value) ? network.nodes.count : readers(of: value).last ?? -1
  }
}
