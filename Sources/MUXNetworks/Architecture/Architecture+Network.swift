// SPDX-License-Identifier: Apache-2.0

extension Architecture {
  /// The network that the architecture describes.
  ///
  /// - Throws: ``NetworkError`` naming the setting or the layer that is not sound.
  public func network() throws(NetworkError) -> Network {
    try check()
    var builder = NetworkBuilder(
      name: name, inputChannels: inputChannels, inputSize: inputSize,
      initialization: initialization)
    var strides = try StrideBudget(self)
    var x = addStem(to: &builder, stride: strides.next(stem.stride))
    let blockCount = stages.joined().reduce(0) { $0 + $1.repeats }
    var position = 0
    for (stage, blocks) in stages.enumerated() {
      var index = 0
      for block in blocks {
        for copy in 0..<block.repeats {
          let context = BlockContext(
            name: "blocks.\(stage).\(index)", outputChannels: width(block.channels),
            stride: copy == 0 ? strides.next(block.stride) : 1, activation: activation,
            epsilon: normalizationEpsilon, momentum: normalizationMomentum,
            dropPathRate: dropPathRate * Double(position) / Double(blockCount),
            expansionDivisor: expansionDivisor, excitation: excitation)
          x = try builder.block(context.name, summary: Self.summary(of: block)) {
            builder throws(NetworkError) in try builder.add(block, to: x, in: context)
          }
          index += 1
          position += 1
        }
      }
    }
    addHead(to: &builder, after: x)
    return try padded(builder.build())
  }

  /// The network with the architecture's rule for the zeros around images. (1×1 needs none.)
  private func padded(_ network: Network) throws(NetworkError) -> Network {
    guard padding != .symmetric else { return network }
    func padded(_ convolution: Convolution) -> Convolution {
      var convolution = convolution
      guard convolution.kernelSize > 1 else { return convolution }
      convolution.paddingRule = padding
      convolution.padding = 0
      return convolution
    }
    var nodes = network.nodes
    for index in nodes.indices {
      if case .convolution(let convolution) = nodes[index].operation {
        nodes[index].operation = .convolution(padded(convolution))
      } else if case .branchedConvolution(var branched) = nodes[index].operation {
        for branch in branched.branches.indices {
          branched.branches[branch].convolution = padded(branched.branches[branch].convolution)
        }
        nodes[index].operation = .branchedConvolution(branched)
      }
    }
    return try Network(
      name: network.name, inputChannels: network.inputChannels, inputSize: network.inputSize,
      nodes: nodes, blocks: network.blocks, outputs: network.outputs,
      initialization: network.initialization)
  }

  private func width(_ channels: Int) -> Int {
    Self.roundedWidth(channels, multiplier: widthMultiplier)
  }

  private func addStem(
    to builder: inout NetworkBuilder, stride: Int
  ) -> NetworkBuilder.Value {
    let channels = stem.scalesWithWidth ? width(stem.channels) : stem.channels
    let summary = "convolution k\(stem.kernelSize) s\(stride)"
    return builder.block("stem", summary: summary) { builder in
      var x = builder.convolution(
        builder.input, "conv_stem", outputChannels: channels, kernelSize: stem.kernelSize,
        stride: stride)
      x = builder.batchNormalization(
        x, "bn1", epsilon: normalizationEpsilon, momentum: normalizationMomentum)
      return builder.activation(x, "act1", activation)
    }
  }

  private func addHead(to builder: inout NetworkBuilder, after value: NetworkBuilder.Value) {
    var x = value
    if head.channels > 0, head.followsPool {
      _ = builder.block("head", summary: "global mean, 1×1 convolution, linear") { builder in
        var x = builder.add("global_pool", .globalAveragePool, x, channels: x.channels)
        x = builder.convolution(x, "conv_head", outputChannels: headWidth, hasBias: true)
        x = builder.activation(x, "act2", activation)
        return builder.classifyPooled(x, classes: classes, dropoutRate: dropoutRate)
      }
      return
    }
    if head.channels > 0 {
      x = builder.block("head", summary: "1×1 convolution") { builder in
        var x = builder.convolution(x, "conv_head", outputChannels: headWidth)
        x = builder.batchNormalization(
          x, "bn2", epsilon: normalizationEpsilon, momentum: normalizationMomentum)
        return builder.activation(x, "act2", activation)
      }
    }
    _ = builder.block("classifier", summary: "global mean, linear") { builder in
      builder.classify(x, classes: classes, dropoutRate: dropoutRate)
    }
  }

  private var headWidth: Int {
    switch head.width {
    case .fixed: head.channels
    case .scaled: width(head.channels)
    case .widenOnly: max(head.channels, width(head.channels))
    }
  }

  private static func summary(of block: BlockSpecification) -> String {
    var single = block
    single.repeats = 1
    return single.description
  }

  private func check() throws(NetworkError) {
    func require(_ condition: Bool, _ reason: String) throws(NetworkError) {
      if !condition { throw .architecture(name: name, reason: reason) }
    }
    /// A whole number of a file may be any; none may overflow what is computed with it.
    func require(_ value: Int, in range: ClosedRange<Int>, _ what: String) throws(NetworkError) {
      try require(
        range.contains(value),
        value < range.lowerBound
          ? "\(what) must be at least \(range.lowerBound), not \(value)"
          : "\(what) must be at most \(range.upperBound), not \(value)")
    }
    let widths = 1...BlockSpecification.Bounds.setting
    try require(classes > 0, "the number of classes must be above 0, not \(classes)")
    try require(classes, in: 1...Limits.setting, "the number of classes")
    try require(inputChannels > 0, "the input channels must be above 0, not \(inputChannels)")
    try require(inputChannels, in: widths, "the input channels")
    try require(inputSize.height, in: 1...Limits.setting, "the height of images")
    try require(inputSize.width, in: 1...Limits.setting, "the width of images")
    try require(stem.channels > 0, "the stem needs channels")
    try require(stem.channels, in: widths, "the stem's channels")
    try require(stem.stride, in: widths, "the stem's stride")
    try require(
      stem.kernelSize % 2 == 1 && stem.kernelSize > 0, "the stem's kernel size must be odd")
    try require(stem.kernelSize, in: 1...255, "the stem's kernel size")
    try require(head.channels >= 0, "the head's channels cannot be negative")
    try require(head.channels, in: 0...BlockSpecification.Bounds.setting, "the head's channels")
    try require(
      expansionDivisor > 0 && excitation.divisor > 0, "the divisors of widths must be above 0")
    try require(expansionDivisor, in: widths, "the expansions' divisor")
    try require(excitation.divisor, in: widths, "squeeze-and-excitation's divisor")
    try require(
      widthMultiplier > 0 && widthMultiplier <= 16,
      "the width multiplier must be above 0 and at most 16, not \(widthMultiplier)")
    try require((0..<1).contains(dropoutRate), "the dropout rate must be in 0..<1")
    try require((0..<1).contains(dropPathRate), "the drop-path rate must be in 0..<1")
    try require(
      normalizationEpsilon > 0 && normalizationEpsilon.isFinite,
      "the batch norms' ε must be positive and finite, not \(normalizationEpsilon)")
    try require(
      (0...1).contains(normalizationMomentum),
      "the batch norms' momentum must be in 0…1, not \(normalizationMomentum)")
    for function in functions {
      if let defect = Operation.activation(function).unsoundness { try require(false, defect) }
    }
    try require(
      stages.contains { !$0.isEmpty }, "there are no blocks; give stages of block strings")
    var count = 0
    for block in stages.joined() {
      if let defect = block.defect { try require(false, "block \(count): \(defect)") }
      count += block.repeats
      try require(
        count <= Limits.blocks, "a network has at most \(Limits.blocks) blocks, repeats counted")
    }
  }
}

/// Removes strides from the front until the output stride is met.
private struct StrideBudget {
  private var excess: Int

  init(_ architecture: Architecture) throws(NetworkError) {
    var total = 1
    for stride in [architecture.stem.stride] + architecture.stages.joined().map(\.stride) {
      total *= stride
      // Strides are bounded each; together they soon are beyond every image.
      guard total <= Limits.setting else {
        throw .architecture(
          name: architecture.name,
          reason: "the strides together are more than \(Limits.setting) pixels")
      }
    }
    let wanted = architecture.outputStride ?? total
    guard wanted > 0, total % wanted == 0 else {
      throw .architecture(
        name: architecture.name,
        reason: "output stride \(wanted) does not divide the blocks' \(total)")
    }
    excess = total / wanted
  }

  /// The stride that remains of `stride`.
  mutating func next(_ stride: Int) -> Int {
    guard stride > 1, excess > 1, excess % stride == 0 else { return stride }
    excess /= stride
    return 1
  }
}
