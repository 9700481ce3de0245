// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXWeights

extension GraphCompiler {
  /// Adds a convolution. It takes the order of its input into its weights where that is possible,
  /// and gives its output the order that a sum or a gate behind it needs.
  mutating func add(
    _ convolution: Convolution, _ node: Node, _ index: Int, _ value: GraphValue
  ) -> GraphValue {
    var input = value
    var kernel = kernel(convolution, node.name)
    if let fold = foldedNorm(after: index) {
      kernel.fold(weights.affine(fold.norm, fold.name, as: Double.self)) { $0 }
    }
    var order: ChannelOrder?
    if let inputOrder = input.order {
      if convolution.groups == 1 {
        kernel.arrangeColumns(inputOrder.channels)
      } else if convolution.groups == convolution.inputChannels {
        order = inputOrder.expanded(by: convolution.outputChannels / convolution.groups)
        if let order { kernel.arrangeRows(order.channels) }
      } else {
        input = arranged(input, as: nil)
      }
    }
    if convolution.groups == 1, let wanted = orderWanted(after: index) {
      kernel.arrangeRows(wanted.channels)
      order = wanted
    }
    var result = input
    result.name = addConvolution(
      convolution, kernel, node.name, input.name,
      size: ImageSize(height: value.shape.height, width: value.shape.width))
    result.order = order
    return result
  }

  /// Adds parallel convolutions over slices of the channels.
  mutating func add(
    _ branched: BranchedConvolution, _ node: Node, _ index: Int, _ value: GraphValue
  ) -> GraphValue {
    let fold = foldedNorm(after: index)
    let inputs = branchInputs(branched, node.name, value)
    var outputs: [String] = []
    var first = 0
    for (branch, input) in zip(branched.branches, inputs) {
      outputs.append(add(branch, "\(node.name).\(branch.name)", input, value.shape, fold, first))
      first += branch.outputChannels
    }
    var result = value
    result.order = nil
    result.name =
      outputs.count == 1
      ? outputs[0] : writer.node("Concat", node.name, outputs, [.int("axis", 1)])
    return result
  }

  private mutating func branchInputs(
    _ branched: BranchedConvolution, _ name: String, _ value: GraphValue
  ) -> [String] {
    let counts = branched.branches.map(\.inputChannels)
    guard counts.count > 1 || value.order != nil else { return [value.name] }
    let names = branched.branches.map { "\(name).\($0.name).input" }
    if value.order == nil {
      return writer.split(value.name, "\(name).split", counts: counts, parts: names)
    }
    var start = 0
    return zip(counts, names).map { count, name in
      defer { start += count }
      return part(start..<start + count, of: value, name)
    }
  }

  /// Adds one branch; `first` is its first channel in the node's output.
  private mutating func add(
    _ branch: BranchedConvolution.Branch, _ name: String, _ input: String, _ shape: Shape,
    _ fold: (norm: BatchNormalization, name: String)?, _ first: Int
  ) -> String {
    var kernel = kernel(branch.convolution, name)
    let count = branch.outputChannels
    if let fold, branch.multiplexing != .superpixel {
      // Inside a subpixel branch channel c stands at c + phase·C′ for each phase of the window.
      kernel.fold(weights.affine(fold.norm, fold.name, as: Double.self)) { first + $0 % count }
    }
    let block: [Onnx_AttributeProto] = [.int("blocksize", branch.factor)]
    // In this mode the channels are phase-major, as those of SpaceToDepth always are.
    let phaseMajor = block + [.string("mode", "DCR")]
    switch branch.multiplexing {
    case .none:
      return addConvolution(
        branch.convolution, kernel, name, input,
        size: ImageSize(height: shape.height, width: shape.width))
    case .subpixel:
      let bottom = shape.height.shortfall(branch.factor)
      let right = shape.width.shortfall(branch.factor)
      let pads = bottom + right > 0
      var x = pads ? addZeros(input, "\(name).zeros", [0, 0, bottom, right]) : input
      x = writer.node("SpaceToDepth", "\(name).to_channels", [x], block)
      x = addConvolution(branch.convolution, kernel, name, x, size: branch.innerSize(shape))
      x = writer.node("DepthToSpace", "\(name).to_space", [x], phaseMajor)
      guard pads else { return x }
      return crop(x, "\(name).crop", rows: 0..<shape.height, columns: 0..<shape.width)
    case .superpixel:
      var x = writer.node("DepthToSpace", "\(name).to_space", [input], phaseMajor)
      x = addConvolution(branch.convolution, kernel, name, x, size: branch.innerSize(shape))
      x = writer.node("SpaceToDepth", "\(name).to_channels", [x], block)
      // Each phase of a window has a scale of its own behind the convolution, which has only one.
      guard let fold else { return x }
      return addNorm(
        fold.norm, fold.name, x, channels: Array(first..<first + count), output: "\(name).bn")
    }
  }

  private func kernel(_ convolution: Convolution, _ name: String) -> Kernel {
    Kernel(
      shape: convolution.weightShape, weight: weights.values(.convolutionWeight, of: name),
      bias: convolution.hasBias ? weights.values(.bias, of: name) : nil)
  }

  private mutating func addConvolution(
    _ convolution: Convolution, _ kernel: Kernel, _ name: String, _ input: String,
    size: ImageSize
  ) -> String {
    let rows = convolution.zeros(around: size.height)
    let columns = convolution.zeros(around: size.width)
    return writer.node(
      "Conv", name, [input] + tensors(of: kernel, name),
      [
        .ints("kernel_shape", [convolution.kernelSize, convolution.kernelSize]),
        .ints("strides", [convolution.stride, convolution.stride]),
        .ints("pads", [rows.before, columns.before, rows.behind, columns.behind]),
        .ints("dilations", [convolution.dilation, convolution.dilation]),
        .int("group", convolution.groups),
      ])
  }

  private func foldedNorm(after index: Int) -> (norm: BatchNormalization, name: String)? {
    guard let position = foldedNorms[index],
      case .batchNormalization(let norm) = network.nodes[position].operation
    else { return nil }
    return (norm, network.nodes[position].name)
  }

  /// The order that the other side of a sum or a product has, if this node's output goes there and
  /// nowhere else.
  private func orderWanted(after index: Int) -> ChannelOrder? {
    var index = index
    // (An output of the network may be read by a node, too.)
    while analysis.readers(of: index).count == 1 {
      let reader = analysis.readers(of: index)[0]
      let operation = analysis.operation(reader)
      if operation == .add || operation == .multiply {
        let others = network.inputIndices[reader].filter { $0 != index }
        // What is not there yet will follow this one's order.
        guard others.count == 1, others[0] + 1 < values.count else { return nil }
        return values[others[0] + 1].order
      }
      guard operation.isTransparent || operation.effect == .elementwise else { return nil }
      index = reader
    }
    return nil
  }
}

extension Int {
  /// What is missing to the next multiple of `divisor`.
  fileprivate func shortfall(_ divisor: Int) -> Int { (divisor - self % divisor) % divisor }
}
