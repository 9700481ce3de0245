// SPDX-License-Identifier: Apache-2.0

extension NASBench101Cell {
  /// The channels of each vertex of a (pruned) cell from `input` to `output` channels.
  ///
  /// The inner vertices that feed the output share its channels, a remainder going one each to the
  /// first; every other one has the most of those that it feeds. A direct edge from input to output
  /// counts for nothing here: it is added, not concatenated.
  package func channels(input: Int, output: Int) -> [Int] {
    let last = vertexCount - 1
    var channels = [Int](repeating: 0, count: vertexCount)
    channels[0] = input
    channels[last] = output
    guard last > 1 else { return channels }
    let feeders = (1..<last).filter { hasEdge($0, last) }
    guard !feeders.isEmpty else { return channels }
    for (place, vertex) in feeders.enumerated() {
      channels[vertex] =
        output / feeders.count + (place < output % feeders.count ? 1 : 0)
    }
    for vertex in stride(from: last - 1, to: 0, by: -1) where !hasEdge(vertex, last) {
      channels[vertex] =
        (vertex + 1..<last).filter { hasEdge(vertex, $0) }.map { channels[$0] }.max() ?? 0
    }
    return channels
  }

  /// The learnable scalars of the benchmark's network with this (pruned) cell: a 3×3 stem to 128
  /// channels, three stacks of three cells (128, 256, 512 channels), a linear layer to 10 classes.
  package var parameterCount: Int {
    var total = Self.convolution(3, 128, kernel: 3)
    var channels = 128
    for (stack, width) in [128, 256, 512].enumerated() {
      for cell in 0..<3 {
        total += cellParameters(input: stack > 0 && cell == 0 ? channels : width, output: width)
      }
      channels = width
    }
    return total + 512 * 10 + 10
  }

  /// Every edge from the input is a 1×1 projection with batch norm and ReLU; edges between inner
  /// vertices cost nothing (channels are cut off).
  private func cellParameters(input: Int, output: Int) -> Int {
    let last = vertexCount - 1
    let channels = channels(input: input, output: output)
    var total = hasEdge(0, last) ? Self.convolution(input, output, kernel: 1) : 0
    for vertex in stride(from: 1, to: last, by: 1) {
      let own = channels[vertex]
      if hasEdge(0, vertex) { total += Self.convolution(input, own, kernel: 1) }
      switch operations[vertex - 1] {
      case .convolution3: total += Self.convolution(own, own, kernel: 3)
      case .convolution1: total += Self.convolution(own, own, kernel: 1)
      case .maxPool3: break
      }
    }
    return total
  }

  /// Weights and batch norm of a convolution without bias.
  private static func convolution(_ input: Int, _ output: Int, kernel: Int) -> Int {
    input * output * kernel * kernel + 2 * output
  }
}
