// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import MUXNetworks
internal import MUXWeights

extension PlanCompiler {
  /// What a dense step reads.
  enum DenseSource {
    /// Planes, pixel by pixel.
    case planes([Plane])
    /// Lanes of a blocked tensor: block · lanes + lane for each input.
    case blocked(storage: Int, positions: [Int], quantization: Quantization?)
    /// Windows of a convolution over planes.
    case windows(PlaneTensor, Convolution)
  }

  /// The weights and settings of a dense step.
  struct DenseLayer {
    var name: String
    /// [output][input], row-major.
    var weight: [Float]
    var rowLength: Int
    /// The columns of `weight` in the order of the source.
    var columns: [Int]
    /// The rows of `weight` that are computed.
    var rows: [Int]
    var affine: Affine<Float>
    var activation: Activation
    /// A storage of factors of the inputs.
    var gate: Int?
    var residual: Residual?
    /// Only the means over the pixels are wanted.
    var isPooled = false
    /// Whether the weights are packed as those of a fully connected layer.
    var isLinear = false
  }

  /// Compiles a convolution on its own, with what can be done at its end.
  mutating func compileConvolution(
    _ convolution: Convolution, at index: Int
  ) throws(RuntimeError) {
    let node = network.nodes[index]
    let input = value(of: index, 0)
    var chain = absorb(index, channels: convolution.outputChannels)
    if convolution.hasBias { chain.affine.after(bias: weights.bias(node.name)) }
    let shape = shapes[index]
    let residual = absorbResidual(index, chain.end)
    var layer = DenseLayer(
      name: node.name, weight: weights.weight(node.name),
      rowLength: convolution.weightShape[1...].reduce(1, *), columns: [],
      rows: Array(0..<convolution.outputChannels), affine: chain.affine,
      activation: chain.activation, residual: residual,
      isLinear: residual == nil && isSinglePixel(convolution, ownInputPixels(of: index)))
    var end = residual?.end ?? chain.end
    if residual == nil, convolution.isPointwise, convolution.stride == 1,
      convolution.padding == 0, shape.height * shape.width > 1,
      let next = analysis.soleReader(of: end),
      case .globalAveragePool = operation(next)
    {
      layer.isPooled = true
      markDone([next])
      end = next
    }
    setValue(
      try addConvolution(
        convolution, input, layer, height: shape.height, width: shape.width), at: end)
  }

  /// Whether a convolution of an image of that size is a fully connected layer on its one pixel.
  func isSinglePixel(_ convolution: Convolution, _ input: (height: Int, width: Int)) -> Bool {
    convolution.isPointwise && convolution.padding == 0 && input == (1, 1)
  }

  /// Adds the steps of a convolution; `layer` covers all of its outputs.
  mutating func addConvolution(
    _ convolution: Convolution, _ input: PlaneTensor, _ layer: DenseLayer, height: Int, width: Int
  ) throws(RuntimeError) -> PlaneTensor {
    if layer.isLinear, input.pixels == 1 {
      return addLinear(
        name: layer.name, inputs: input.planes, sums: nil, weight: layer.weight,
        columns: Array(input.planes.indices), rows: layer.rows, affine: layer.affine,
        activation: layer.activation)
    }
    if Self.isSpatial(convolution), layer.residual == nil, !layer.isLinear {
      let branch = SpatialBranch(
        convolution: convolution, zeros: Self.zeros(convolution, input.height, input.width),
        mode: MUX_SPATIAL_PLAIN, factor: 1, firstInput: 0, firstOutput: 0, weight: layer.weight,
        bias: [])
      let result = try addSpatial(
        name: layer.name, producer: .copy(input), branches: [branch], affine: layer.affine,
        activation: layer.activation, height: height, width: width, wantsSums: false,
        isProjected: false)
      return unblocked(result, name: layer.name)
    }
    let groups = convolution.groups
    guard groups > 1 else {
      return try addDense(
        source(convolution, input), layer, height: height, width: width)
    }
    // Wide groups: a dense step each.
    let inner = convolution.inputChannels / groups, outer = convolution.outputChannels / groups
    var single = convolution
    single.inputChannels = inner
    single.outputChannels = outer
    single.groups = 1
    var result = PlaneTensor(planes: [], height: height, width: width)
    for group in 0..<groups {
      var part = layer
      part.rows = Array(group * outer..<(group + 1) * outer)
      if let residual = layer.residual {
        part.residual?.planes = Array(residual.planes[group * outer..<(group + 1) * outer])
        part.residual?.isOverwritten = false
      }
      var planes = input
      planes.planes = Array(input.planes[group * inner..<(group + 1) * inner])
      result.planes +=
        try addDense(
          source(single, planes), part, height: height, width: width
        ).planes
    }
    return result
  }

  private func source(_ convolution: Convolution, _ input: PlaneTensor) -> DenseSource {
    convolution.isDensePointwise
      ? .planes(input.planes) : .windows(input, convolution)
  }

  /// Adds a dense step.
  mutating func addDense(
    _ source: DenseSource, _ layer: DenseLayer, height: Int, width: Int
  ) throws(RuntimeError) -> PlaneTensor {
    var layer = layer
    if layer.columns.isEmpty { layer.columns = Array(0..<layer.rowLength) }
    let outer = layer.rows.count, pixels = height * width
    let multiplyAdds = layer.columns.count { $0 >= 0 } * outer * pixels
    var touched: [Int]
    let output: PlaneTensor
    var inputQuantization: Quantization?
    var cellPlanes: [Plane] = []
    var observed: Int?
    switch source {
    case .planes(let planes):
      touched = planes.map(\.storage)
      // A step must not write to planes that it also convolves.
      if !Set(planes).isDisjoint(with: layer.residual?.planes ?? []) {
        layer.residual?.isOverwritten = false
      }
      if precision != .float32 && !layer.isLinear {
        (cellPlanes, inputQuantization) = try addPack(layer.name, planes, pixels: pixels)
        touched += cellPlanes.map(\.storage)
      }
    case .blocked(let storage, _, let quantization):
      touched = [storage]
      inputQuantization = quantization
    case .windows(let tensor, let convolution):
      touched = tensor.planes.map(\.storage)
      if precision != .float32 && convolution.dilation == 1 && !layer.isLinear {
        inputQuantization = try quantization(layer.name, "input")
        layer.columns = windowColumns(convolution)
        observed = observe(layer.name, ["input"])
        if let observed { touched.append(observed) }
      }
      if !Set(tensor.planes).isDisjoint(with: layer.residual?.planes ?? []) {
        layer.residual?.isOverwritten = false
      }
    }
    if layer.isPooled {
      output = allocatePlanes(outer, height: 1, width: 1)
    } else if let residual = layer.residual, residual.isOverwritten {
      output = PlaneTensor(planes: residual.planes, height: height, width: width)
    } else {
      output = allocatePlanes(outer, height: height, width: width)
    }
    touched += output.planes.map(\.storage)
    if let residual = layer.residual { touched += residual.planes.map(\.storage) }
    if let blocked = layer.residual?.blocked { touched.append(blocked.storage) }
    if let gate = layer.gate { touched.append(gate) }

    let lanes = lanes
    let blocks = (outer + lanes - 1) / lanes
    let precision = inputQuantization == nil ? .float32 : precision
    let hasCells = precision != .float32
    if hasCells {
      while layer.columns.count % precision.valuesPerCell != 0 { layer.columns.append(-1) }
    }
    let inner = layer.columns.count
    let hasHalfBlock =
      lanes == 16 && outer % lanes != 0 && outer % lanes <= lanes / 2 && !hasCells
      && !layer.isLinear
    let rows = layer.rows, affine = layer.affine
    func makeWeights() -> [Float] {
      WeightPacking.dense(
        layer.weight, rowLength: layer.rowLength, outputs: rows, inputs: layer.columns,
        scale: affine.scale, lanes: lanes, hasHalfBlock: hasHalfBlock)
    }
    func makeBias() -> [Float] {
      WeightPacking.bias(affine.shift, outputs: rows, lanes: lanes)
    }
    let values: PackedValues
    let bias: PackedValues
    var cells: PackedArray<Int32>?
    var scale = PackedValues.made([])
    if layer.isLinear {
      let linear = takeLinear(
        layer.name, blocks: blocks, inner: inner, weights: makeWeights, bias: makeBias)
      (values, bias) = (linear.floats(lanes: lanes), linear.bias)
    } else if hasCells, layer.gate == nil, let input = inputQuantization {
      let packed = takeCells(
        layer.name, "dense", blocks: blocks, terms: inner, input: input, weights: makeWeights,
        bias: makeBias)
      (values, bias, cells, scale) = (.made([]), packed.bias, packed.cells, packed.scale)
    } else if hasCells, let input = inputQuantization {
      values = .made([])
      (cells, scale) = takeGated(
        layer.name, blocks: blocks, terms: inner, input: input, weights: makeWeights)
      bias = packed.take(
        layer.name, "dense bias", lanes: lanes, count: blocks * lanes, makeBias)
    } else {
      values = packed.take(
        layer.name, hasHalfBlock ? "dense, half a block at the end" : "dense", lanes: lanes,
        count: (blocks * lanes - (hasHalfBlock ? lanes / 2 : 0)) * inner, makeWeights)
      bias = packed.take(
        layer.name, "dense bias", lanes: lanes, count: blocks * lanes, makeBias)
    }
    let wanted = max(1, min(16, inner * outer * pixels / 150_000))
    let pixelBands: Int
    if layer.isPooled {
      pixelBands = 1
    } else if case .windows = source {
      pixelBands = min(wanted, height)
    } else {
      pixelBands = pixels >= 16 * lanes ? min(wanted, pixels / (4 * lanes)) : 1
    }
    // The kernels do blocks in pairs.
    let blockBands = pixelBands == 1 ? min(wanted, (blocks + 1) / 2) : 1
    let finished = layer
    addStep(
      layer.name, "dense", multiplyAdds: multiplyAdds, touching: touched
    ) { [cells, scale, cellPlanes, inputQuantization, observed] emitter in
      let layer = finished
      var step = mux_dense()
      if let quantization = emitter.packedProjections[output.planes[0].storage] {
        step.packs = 1
        step.packed = emitter.offset(output.planes[0].storage)
        step.packed_quantization = quantization.kernels
      } else if let storage = emitter.blockedProjections[output.planes[0].storage] {
        step.is_blocked = 1
        step.blocked = emitter.offset(storage)
      }
      step.inner = inner
      step.outer = outer
      step.weights = cells.map { emitter.cells($0) } ?? emitter.memory.place(values)
      step.scale = emitter.optional(scale)
      step.precision = precision.kernels
      step.cells = hasCells ? inner / precision.valuesPerCell : 0
      step.quantization = (inputQuantization ?? .none).kernels
      step.observed = observed.map { emitter.offset($0) } ?? -1
      step.bias = emitter.memory.place(bias)
      step.has_half_block = hasHalfBlock ? 1 : 0
      step.activation = layer.activation.kernels
      step.final_activation = (layer.residual?.activation ?? .identity).kernels
      step.pixels = pixels
      step.gate = layer.gate.map { emitter.offset($0) } ?? -1
      step.step = 1
      switch source {
      case .planes(let planes): step.offsets = emitter.offsets(hasCells ? cellPlanes : planes)
      case .blocked(let storage, let positions, _) where hasCells:
        let base = emitter.offset(storage), values = precision.valuesPerCell
        step.step = lanes / values
        step.offsets = emitter.memory.copy(
          stride(from: 0, to: positions.count, by: values).map { index in
            let position = positions[index]
            return Int32(
              base + position / lanes * pixels * (lanes / values) + position % lanes / values)
          })
      case .blocked(let storage, let positions, _):
        let base = emitter.offset(storage)
        step.step = lanes
        step.offsets = emitter.memory.copy(
          positions.map { Int32(base + $0 / lanes * pixels * lanes + $0 % lanes) })
      case .windows(let tensor, let convolution):
        step.step = convolution.stride
        step.window = emitter.window(convolution, tensor, height: height, width: width)
        if hasCells {
          step.step = convolution.stride * precision.valueSize
          step.offsets = emitter.memory.copy(
            Self.cellOffsets(convolution, outputWidth: width, precision: precision))
        } else {
          step.offsets = emitter.tapOffsets(step.window)
        }
      }
      if layer.isPooled {
        step.means = Int(emitter.offset(output.planes[0]))
      } else {
        if step.packs == 0, step.is_blocked == 0 { step.outputs = emitter.offsets(output.planes) }
        if let blocked = layer.residual?.blocked {
          step.has_blocked_residual = 1
          step.blocked_residual = emitter.offset(blocked.storage)
          step.blocked_residual_precision = blocked.precision.kernels
        } else if let residual = layer.residual {
          step.residuals = emitter.offsets(residual.planes)
        }
      }
      step.pixel_bands = Int32(pixelBands)
      step.block_bands = Int32(blockBands)
      return emitter.step(MUX_STEP_DENSE, step)
    }
    return output
  }
}
