// SPDX-License-Identifier: Apache-2.0
import MUXNetworks

/// A network boiled down to what a drawing shows: rows of steps with their costs.
struct NetworkSketch {
  /// One box of a row.
  struct Step: Hashable {
    /// What the box stands for.
    enum Form: Hashable {
      /// A layer with weights.
      case layer(LayerKind)
      /// Parallel convolutions over slices; `isMultiplexed` if they move pixels between space and
      /// channels.
      case branches([String], isMultiplexed: Bool)
      /// Something without weights: a pool.
      case plain
      /// A residual sum.
      case sum
      /// A channel shuffle.
      case shuffle
      /// Channels of several inputs one after the other.
      case join
    }

    var form: Form
    var text: String
    var detail: String
    /// How often it stands there, where a row has too many steps to show each.
    var count = 1
  }

  /// One or more equal blocks.
  struct Row {
    var names: [String]
    var steps: [Step]
    /// The shorter of two paths that meet at the end, such as a projected shortcut.
    var sidePath: [Step] = []
    /// Whether the steps are counted kinds and not a path.
    var isCounted: Bool
    /// Channels that are processed and all channels, if a part passes by (paper, section 3.2).
    var split: (processed: Int, all: Int)?
    /// Whether a sum adds the input of the row (of its processed part).
    var hasResidual: Bool
    var output: Shape
    /// Of all blocks of the row.
    var parameters: Int
    var multiplyAdds: Int
  }

  var rows: [Row] = []

  /// More steps than this are counted instead of drawn one by one.
  private static let mostSteps = 10

  init(_ network: Network, _ costs: CostReport) {
    var blockNames = [String](repeating: "", count: network.nodes.count)
    for block in network.blocks {
      for index in block.nodes { blockNames[index] = block.name }
    }
    let analysis = NetworkAnalysis(network)
    // The cost report sums up the same runs of nodes.
    var start = 0
    for block in costs.blocks {
      var end = start
      while end < network.nodes.count, blockNames[end] == block.name { end += 1 }
      let row = Self.row(analysis, start..<end, block)
      if let last = rows.last, Self.areAlike(last, row) {
        rows[rows.count - 1].names += row.names
        rows[rows.count - 1].parameters += row.parameters
        rows[rows.count - 1].multiplyAdds += row.multiplyAdds
      } else {
        rows.append(row)
      }
      start = end
    }
  }

  private static func areAlike(_ left: Row, _ right: Row) -> Bool {
    left.sidePath.map(\.text) == right.sidePath.map(\.text)
      && left.steps.map(\.form) == right.steps.map(\.form)
      && left.steps.map(\.text) == right.steps.map(\.text) && left.output == right.output
      && left.hasResidual == right.hasResidual && left.split?.processed == right.split?.processed
      && left.parameters == right.parameters * left.names.count
      && left.multiplyAdds == right.multiplyAdds * left.names.count
  }

  private static func row(
    _ analysis: NetworkAnalysis, _ range: Range<Int>, _ block: BlockCost
  ) -> Row {
    let network = analysis.network
    let gates = gateNodes(analysis, range)
    let split = split(analysis, range)
    let side = split == nil ? sideNodes(network, range) : []
    var steps: [Step] = []
    var sidePath: [Step] = []
    for index in range where !gates.contains(index) {
      guard let step = step(network.nodes[index].operation, network, index) else { continue }
      // Where the two paths of a row meet, a sum or the shape says so.
      if step.form == .join, split != nil || !side.isEmpty { continue }
      if side.contains(index) { sidePath.append(step) } else { steps.append(step) }
    }
    let isLong = steps.count + sidePath.count > mostSteps
    return Row(
      names: [block.name], steps: isLong ? counted(steps + sidePath) : steps,
      sidePath: isLong ? [] : sidePath, isCounted: isLong, split: split,
      hasResidual: !isLong && sidePath.isEmpty && steps.count { $0.form == .sum } == 1,
      output: block.outputShape, parameters: block.parameters, multiplyAdds: block.multiplyAdds)
  }

  /// The nodes of the shorter of two paths that meet in the row's last sum or concatenation; none
  /// if one of the two has no layers of its own.
  private static func sideNodes(_ network: Network, _ range: Range<Int>) -> Set<Int> {
    let joins = range.filter {
      let operation = network.nodes[$0].operation
      return (operation == .add || operation == .concatenate) && network.inputIndices[$0].count == 2
    }
    guard let join = joins.last else { return [] }
    let inputs = network.inputIndices[join]
    let paths = inputs.map { ancestors(network, of: $0, in: range) }
    let common = paths[0].intersection(paths[1])
    let own = paths.map { path in
      path.subtracting(common).filter { index in
        if case .convolution = network.nodes[index].operation { true } else { false }
      }
    }
    guard !own[0].isEmpty, !own[1].isEmpty else { return [] }
    let shorter = own[1].count <= own[0].count ? 1 : 0
    return paths[shorter].subtracting(common)
  }

  private static func ancestors(
    _ network: Network, of start: Int, in range: Range<Int>
  ) -> Set<Int> {
    var found: Set<Int> = []
    var open = [start]
    while let index = open.popLast() {
      guard range.contains(index), found.insert(index).inserted else { continue }
      open += network.inputIndices[index]
    }
    return found
  }

  /// The nodes between a product and the pool of its gate, which one box stands for.
  private static func gateNodes(_ analysis: NetworkAnalysis, _ range: Range<Int>) -> Set<Int> {
    var found: Set<Int> = []
    for index in range {
      let gate = analysis.gate(of: index) { found.contains($0) || !range.contains($0) }
      guard let gate else { continue }
      found.formUnion(gate.nodes)
      if let pool = gate.pool { found.insert(pool) }
    }
    return found
  }

  /// How a row's two slices share its channels between them, if a shuffle mixes these again.
  private static func split(
    _ analysis: NetworkAnalysis, _ range: Range<Int>
  ) -> (processed: Int, all: Int)? {
    let shuffles = range.contains {
      if case .channelShuffle = analysis.operation($0) { true } else { false }
    }
    let slices = range.filter {
      if case .slice = analysis.operation($0) { true } else { false }
    }
    guard shuffles, slices.count == 2, let split = analysis.channelSplit(at: slices[0]),
      split.second == slices[1]
    else { return nil }
    return (split.firstCount, split.firstCount + split.secondCount)
  }

  private static func counted(_ steps: [Step]) -> [Step] {
    var result: [Step] = []
    for step in steps {
      if let place = result.firstIndex(where: { $0.form == step.form && $0.text == step.text }) {
        result[place].count += 1
      } else {
        result.append(step)
      }
    }
    return result
  }

  private static func step(_ operation: Operation, _ network: Network, _ index: Int) -> Step? {
    let name = network.nodes[index].name
    switch operation {
    case .convolution(let convolution):
      let kernel = "\(convolution.kernelSize)×\(convolution.kernelSize)"
      let stride = convolution.stride > 1 ? " s\(convolution.stride)" : ""
      let kind = convolution.layerKind
      var text = kernel + stride
      if convolution.isDepthwise {
        text = "dw " + text
      } else if convolution.groups > 1 {
        text = "g\(convolution.groupWidth) " + text
      } else {
        text += " →\(convolution.outputChannels)"
      }
      return Step(
        form: .layer(kind), text: text,
        detail: "\(name): \(kind.title) \(kernel)\(stride), \(convolution.inputChannels) →"
          + " \(convolution.outputChannels) channels")
    case .branchedConvolution(let branched): return step(branched, name)
    case .multiply:
      return Step(
        form: .layer(.squeezeExcitation), text: "SE", detail: "\(name): squeeze-and-excitation")
    case .linear(let linear):
      return Step(
        form: .layer(.linear), text: "linear →\(linear.outputFeatures)",
        detail: "\(name): linear, \(linear.inputFeatures) → \(linear.outputFeatures)")
    case .pool(let pool):
      let kind = pool.kind == .maximum ? "max" : "mean"
      let stride = pool.stride > 1 ? " s\(pool.stride)" : ""
      return Step(
        form: .plain, text: "\(kind) \(pool.kernelSize)×\(pool.kernelSize)\(stride)", detail: name)
    case .globalAveragePool: return Step(form: .plain, text: "mean", detail: "\(name): global mean")
    case .adaptiveAveragePool(let size):
      return Step(form: .plain, text: "mean to \(size)", detail: name)
    case .add: return Step(form: .sum, text: "+", detail: "residual sum")
    case .channelShuffle(let groups):
      return Step(
        form: .shuffle, text: "shuffle", detail: "\(name): channel shuffle, \(groups) groups")
    case .concatenate: return Step(form: .join, text: "concat", detail: "\(name): concatenation")
    case .l2Normalization:
      return Step(form: .plain, text: "L2 norm", detail: "\(name): normalisation over channels")
    case .batchNormalization, .activation, .slice, .pad, .flatten, .dropout, .dropPath: return nil
    }
  }

  private static func step(_ branched: BranchedConvolution, _ name: String) -> Step {
    let kernels = branched.branches.map(\.convolution.kernelSize)
    let isMultiplexed = branched.isMultiplexed
    let cells = branched.branches.map { branch in
      switch branch.multiplexing {
      case .subpixel: "↓\(branch.factor)"
      case .superpixel: "↑\(branch.factor)"
      case .none: isMultiplexed ? "=" : "\(branch.convolution.kernelSize)"
      }
    }
    let text: String
    if isMultiplexed {
      let sizes = Set(kernels).count == 1 ? [kernels[0]] : kernels
      text = "mux " + sizes.map { "\($0)×\($0)" }.joined(separator: " ")
    } else {
      text = (branched.branches.allSatisfy(\.convolution.isDepthwise) ? "dw" : "mixed")
    }
    let stride = branched.stride > 1 ? " s\(branched.stride)" : ""
    let parts = branched.branches.map { branch in
      let move =
        switch branch.multiplexing {
        case .subpixel: "subpixel "
        case .superpixel: "superpixel "
        case .none: ""
        }
      return "\(move)\(branch.convolution.kernelSize)×\(branch.convolution.kernelSize) on"
        + " \(branch.inputChannels) channels"
    }
    return Step(
      form: .branches(cells, isMultiplexed: isMultiplexed), text: text + stride,
      detail: "\(name): \(parts.joined(separator: ", "))")
  }
}
