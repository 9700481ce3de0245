// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks

/// A convolution of planes, and what is done at its end.
struct PlainConvolution {
  var name: String
  var convolution: Convolution
  var tensors: LayerTensors
  var activation = Activation.identity
  var sum: Match.Sum?
  var isPooled = false
  /// Whether it is a fully connected layer in images of the network's own size.
  var isLinear = false
}

extension Lowering {
  /// Adds the steps of a convolution of planes.
  mutating func addConvolution(
    _ layer: PlainConvolution, _ input: Planes, _ shape: Shape
  ) -> Planes {
    let convolution = layer.convolution
    if layer.isLinear, input.pixels == 1 {
      return addLinear(
        layer.name, .planes(input), layer.tensors,
        outputs: convolution.outputChannels, activation: layer.activation)
    }
    if SpatialBranch.suits(convolution), layer.sum == nil, !layer.isLinear {
      var tensors = layer.tensors
      tensors.norms = []
      let branch = SpatialBranch(
        convolution, input: ImageSize(height: input.height, width: input.width), tensors: tensors)
      let spatial = addSpatial(
        layer.name, input, nil, [branch], layer.tensors.norms, layer.activation, shape)
      return unblocked(spatial.output, name: layer.name)
    }
    var step = DenseStep(
      source: .planes(input), tensors: layer.tensors,
      rowLength: convolution.weightShape[1...].reduce(1, *),
      rowCount: convolution.outputChannels, rows: 0..<convolution.outputChannels,
      activation: layer.activation,
      size: ImageSize(height: shape.height, width: shape.width), isPooled: layer.isPooled,
      linearWeights: layer.isLinear ? .float32 : nil, output: Program.input)
    let groups = convolution.groups
    guard groups > 1 else {
      step.source = source(convolution, input)
      return addDense(layer.name, step, layer.sum)
    }
    // Wide groups: a dense step each.
    let inner = convolution.inputChannels / groups, outer = convolution.outputChannels / groups
    var single = convolution
    single.inputChannels = inner
    single.outputChannels = outer
    single.groups = 1
    var result = Planes(channels: [], height: shape.height, width: shape.width)
    for group in 0..<groups {
      var part = step
      part.rows = group * outer..<(group + 1) * outer
      var planes = input
      planes.channels = Array(input.channels[group * inner..<(group + 1) * inner])
      part.source = source(single, planes)
      result.channels +=
        addDense(layer.name, part, layer.sum, canOverwrite: false).channels
    }
    return result
  }

  private func source(_ convolution: Convolution, _ input: Planes) -> DenseStep.Source {
    convolution.isDensePointwise ? .planes(input) : .windows(input, convolution)
  }

  /// Adds a dense step; its output lies over what is added where that is the last use of it.
  mutating func addDense(
    _ name: String, _ step: DenseStep, _ sum: Match.Sum?, canOverwrite: Bool = true
  ) -> Planes {
    var step = step
    var output = PlanValue(
      channels: step.rows.count, height: step.isPooled ? 1 : step.size.height,
      width: step.isPooled ? 1 : step.size.width)
    if let sum {
      var addend = value(sum.addend)
      addend.channels = Array(addend.channels[step.rows])
      step.sum = DenseStep.Sum(addend: .planes(addend), activation: sum.activation)
      if canOverwrite, sum.isOverwriting, !reads(step.source, anyOf: addend) {
        output.residence = .over(addend.channels.map(program.owner))
      }
    }
    step.output = program.add(output)
    program.steps.append(Step(name, .dense(step)))
    return program.planes(step.output)
  }

  /// Whether a step reads planes that it also adds: it must not write to them.
  private func reads(_ source: DenseStep.Source, anyOf addend: Planes) -> Bool {
    switch source {
    case .planes(let planes), .windows(let planes, _):
      !Set(planes.channels).isDisjoint(with: addend.channels)
    case .value: false
    }
  }

  /// What a spatial step makes.
  struct Spatial {
    var output: ValueID
    var sums: ValueID?
    var kept: ValueID?
  }

  /// Adds an expansion (or a copy) and the spatial convolution after it.
  mutating func addSpatial(
    _ name: String, _ input: Planes, _ expansion: Expansion?, _ branches: [SpatialBranch],
    _ norms: [LayerTensors.Norm], _ activation: Activation, _ shape: Shape, hasSums: Bool = false,
    keepsExpansion: Bool = false
  ) -> Spatial {
    let lanes = program.target.lanes
    let inputShape = Shape(channels: input.count, height: input.height, width: input.width)
    let layout = SpatialLayout(branches, lanes: lanes, isAlwaysNarrow: false)
    let size = ImageSize(height: input.height, width: input.width)
    let expanded = expansion?.size(size) ?? size
    let tiling = SpatialTiling(
      layout, input: inputShape, expanded: expanded, outputHeight: shape.height,
      gathersWindows: expansion?.window != nil)
    func add(_ channels: Int, _ size: ImageSize, _ format: Format) -> ValueID {
      program.add(
        PlanValue(channels: channels, height: size.height, width: size.width, format: format))
    }
    let output = add(
      shape.channels, ImageSize(height: shape.height, width: shape.width),
      .blocked(order: layout.outputs, .float32))
    let kept =
      keepsExpansion
      ? add(
        layout.inputs.count { $0 >= 0 }, expanded, .blocked(order: layout.inputs, .float32))
      : nil
    let one = ImageSize(height: 1, width: 1)
    let sums =
      hasSums
      ? add(
        shape.channels, one, .sums(of: output, bands: tiling.bands(outputHeight: shape.height)))
      : nil
    program.steps.append(
      Step(
        name,
        .spatial(
          SpatialStep(
            input: .planes(input), inputShape: inputShape, expansion: expansion,
            branches: branches, norms: norms, activation: activation, layout: layout,
            tiling: tiling, output: output, sums: sums, kept: kept))))
    return Spatial(output: output, sums: sums, kept: kept)
  }

  /// Adds the copy of a blocked value to planes.
  mutating func unblocked(_ blocked: ValueID, name: String) -> Planes {
    let value = program[blocked]
    return add(name, value.channels, value.height, value.width) {
      .unblock(UnblockStep(input: blocked, output: $0))
    }
  }

  /// Adds the two small layers of squeeze-and-excitation; gives the gate of the lanes that are read.
  mutating func addExcitation(
    _ excitation: NetworkAnalysis.Excitation, _ blocked: ValueID, _ sums: ValueID
  ) -> ValueID {
    let reduced = addLinear(
      name(excitation.reduce), .value(sums),
      tensors(excitation.reduce, nil), outputs: analysis.shape(excitation.reduce).channels,
      activation: excitation.activation)
    _ = addLinear(
      name(excitation.expand), .planes(reduced),
      tensors(excitation.expand, nil), outputs: analysis.shape(excitation.expand).channels,
      activation: excitation.gate, format: .gate(of: blocked))
    return ValueID(program.values.count - 1)
  }
}
