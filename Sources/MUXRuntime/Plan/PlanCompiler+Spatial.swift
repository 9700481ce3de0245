// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import MUXNetworks
internal import MUXWeights

extension PlanCompiler {
  /// One convolution of a spatial step.
  struct SpatialBranch {
    var convolution: Convolution
    /// The rows above the image (of what the convolution reads) and the columns before it at which the
    /// first window begins.
    var zeros: ImageSize
    var mode: mux_spatial_mode
    var factor: Int
    /// The first channel that it reads, and the first that it gives.
    var firstInput: Int
    var firstOutput: Int
    var weight: [Float]
    /// The convolution's own bias, per inner channel; empty if it has none.
    var bias: [Float]

    var window: Int { factor * factor }

    /// Of so many used lanes, those whose weights are to be filled in: none where the weights are
    /// packed already.
    func lanesToFill(_ used: Int) -> Range<Int> { 0..<(weight.isEmpty ? 0 : used) }
  }

  /// Where a spatial step has its input from.
  enum SpatialProducer {
    /// Planes as they are.
    case copy(PlaneTensor)
    /// A dense convolution of planes, pointwise or with windows.
    case expansion(
      PlaneTensor, Convolution, weight: [Float], affine: Affine<Float>, activation: Activation)

    var input: PlaneTensor {
      switch self {
      case .copy(let input), .expansion(let input, _, _, _, _): input
      }
    }

    /// The convolution, if it has windows.
    var window: Convolution? {
      if case .expansion(_, let convolution, _, _, _) = self,
        !convolution.isDensePointwise
      {
        convolution
      } else {
        nil
      }
    }

    /// Rows and columns of what it makes.
    var size: ImageSize {
      guard let window else { return ImageSize(height: input.height, width: input.width) }
      return ImageSize(
        height: window.outputSize(input.height), width: window.outputSize(input.width))
    }
  }

  /// A blocked tensor that a step has expanded and that is added later: in single precision, or in
  /// bfloat16.
  struct KeptExpansion {
    var storage: Int
    var precision: Precision
  }

  /// A blocked tensor.
  struct BlockedTensor {
    var storage: Int
    /// The channel of each lane of each block, −1 for none.
    var channels: [Int]
    var height: Int
    var width: Int
    var sums: BandSums?
    /// Not nil if its values have less than single precision.
    var quantization: Quantization?
    /// What was expanded, blocked as well, if that is kept.
    var expansion: KeptExpansion?
  }

  /// Whether a convolution suits the spatial kernel: lanes are groups, so a group must be narrow.
  static func isSpatial(_ convolution: Convolution) -> Bool {
    (convolution.groups > 1 || convolution.inputChannels == 1)
      && convolution.outputChannels / convolution.groups < 8
      && convolution.groupWidth * convolution.kernelSize <= Int(MUX_MAX_WINDOW_ROWS)
  }

  /// The branches of a convolution node as the spatial kernel takes them; nil if some does not
  /// suit it.
  func spatialBranches(_ index: Int) -> [SpatialBranch]? {
    let name = network.nodes[index].name
    let input = analysis.shape(network.inputIndices[index][0])
    if case .convolution(let convolution) = operation(index) {
      guard Self.isSpatial(convolution) else { return nil }
      return [
        SpatialBranch(
          convolution: convolution, zeros: Self.zeros(convolution, input.height, input.width),
          mode: MUX_SPATIAL_PLAIN, factor: 1, firstInput: 0, firstOutput: 0,
          weight: weights.weight(name),
          bias: convolution.hasBias ? weights.bias(name) : [])
      ]
    }
    guard case .branchedConvolution(let branched) = operation(index) else { return nil }
    var branches: [SpatialBranch] = []
    var firstInput = 0, firstOutput = 0
    for branch in branched.branches {
      let convolution = branch.convolution
      let isDepthwise =
        convolution.groups == convolution.inputChannels
        && convolution.groups == convolution.outputChannels
      let isSuited =
        branch.multiplexing == .none
        ? Self.isSpatial(convolution)
        : isDepthwise && convolution.kernelSize <= Int(MUX_MAX_WINDOW_ROWS)
      guard isSuited else { return nil }
      let prefix = "\(name).\(branch.name)"
      let mode =
        switch branch.multiplexing {
        case .none: MUX_SPATIAL_PLAIN
        case .subpixel: MUX_SPATIAL_SUBPIXEL
        case .superpixel: MUX_SPATIAL_SUPERPIXEL
        }
      branches.append(
        SpatialBranch(
          convolution: convolution,
          zeros: Self.zeros(
            convolution, branch.innerSize(input).height, branch.innerSize(input).width),
          mode: mode,
          factor: branch.multiplexing == .none ? 1 : branch.factor, firstInput: firstInput,
          firstOutput: firstOutput, weight: weights.weight(prefix),
          bias: convolution.hasBias ? weights.bias(prefix) : []))
      firstInput += branch.inputChannels
      firstOutput += branch.outputChannels
    }
    return Self.merged(branches)
  }

  /// The zeros before the first window on an image of that size.
  static func zeros(_ convolution: Convolution, _ height: Int, _ width: Int) -> ImageSize {
    ImageSize(
      height: convolution.zeros(around: height).before,
      width: convolution.zeros(around: width).before)
  }

  /// Neighbours that convolve alike, as one: fewer lanes stay empty.
  private static func merged(_ branches: [SpatialBranch]) -> [SpatialBranch] {
    var result: [SpatialBranch] = []
    for branch in branches {
      guard let last = result.last, last.mode == MUX_SPATIAL_PLAIN, branch.mode == last.mode,
        last.bias.isEmpty == branch.bias.isEmpty, last.zeros == branch.zeros
      else {
        result.append(branch)
        continue
      }
      var both = last
      both.convolution.inputChannels += branch.convolution.inputChannels
      both.convolution.outputChannels += branch.convolution.outputChannels
      both.convolution.groups += branch.convolution.groups
      both.weight += branch.weight
      both.bias += branch.bias
      var alike = branch.convolution
      alike.inputChannels = last.convolution.inputChannels
      alike.outputChannels = last.convolution.outputChannels
      alike.groups = last.convolution.groups
      let groupsMatch =
        branch.convolution.inputChannels * last.convolution.groups
        == last.convolution.inputChannels * branch.convolution.groups
        && branch.convolution.outputChannels * last.convolution.groups
          == last.convolution.outputChannels * branch.convolution.groups
      if alike == last.convolution && groupsMatch {
        result[result.count - 1] = both
      } else {
        result.append(branch)
      }
    }
    return result
  }

  /// Adds an expansion (or a copy) and the spatial convolution after it.
  mutating func addSpatial(
    name: String, producer: SpatialProducer, branches: [SpatialBranch], affine: Affine<Float>,
    activation: Activation, height: Int, width: Int, wantsSums: Bool, isProjected: Bool,
    keepsExpansion: Bool = false, inputNode: Int? = nil
  ) throws(RuntimeError) -> BlockedTensor {
    let hasCells = isProjected && usesCells(branches, producer)
    var layout = SpatialLayout(lanes: lanes, isAlwaysNarrow: hasCells)
    for branch in branches { layout.add(branch, affine: affine) }
    let input = producer.input
    let units = (hasCells ? [] : layout.units).map { unit in
      (
        description: unit.description,
        weights: packed.take(name, unit.use, lanes: lanes, count: unit.weights.count) {
          unit.weights
        },
        bias: packed.take(name, "\(unit.use) bias", lanes: lanes, count: unit.bias.count) {
          unit.bias
        }
      )
    }
    let expanded = producer.size
    let outBlocks = layout.outputs.count / lanes
    // Where the convolution itself has no cells, its result still has.
    let resultPrecision = isProjected && !hasCells ? precision : .float32
    let hasResultCells = hasCells || resultPrecision != .float32
    let planeSize = height * width * lanes / (hasResultCells ? precision.valuesPerCell : 1)
    let tiling = SpatialTiling(
      layout: layout, inputChannels: input.planes.count, inputHeight: expanded.height,
      inputWidth: expanded.width, outputHeight: height, lanes: lanes,
      gathersWindows: producer.window != nil)
    var gathered = Quantization.none, middle = Quantization.none, result = Quantization.none
    var inputPlanes = input.planes
    var inputQuantization = Quantization.none
    var observed: Int?
    if hasCells {
      if producer.window != nil {
        gathered = try quantization(name, "gathered")
        inputQuantization = gathered
      } else if case .expansion = producer {
        (inputPlanes, inputQuantization) = try addPack(
          name, input.planes, pixels: input.pixels, of: inputNode)
      }
      middle = try quantization(name, "middle")
      result = try quantization(name, "result")
      observed = observe(name, ["gathered", "middle", "result"])
    } else if hasResultCells {
      result = try quantization(name, "result")
      observed = observe(name, ["result"])
    }
    var pitch = 1
    if !hasCells, case .expansion = producer, producer.window == nil, let inputNode,
      let channels = blockProjection(of: inputNode, input)
    {
      (inputPlanes, pitch) = (channels, lanes)
    }
    let output = allocate(outBlocks * planeSize)
    var touched = (producer.window == nil ? inputPlanes : input.planes).map(\.storage)
    touched.append(output)
    if let observed { touched.append(observed) }
    var kept: KeptExpansion?
    if keepsExpansion {
      let size = layout.inputs.count * expanded.height * expanded.width
      let expansion = KeptExpansion(
        storage: allocate(hasCells ? size / 2 : size), precision: hasCells ? .bfloat16 : .float32)
      kept = expansion
      touched.append(expansion.storage)
    }
    var sums: BandSums?
    if wantsSums {
      let bands = (height + tiling.rowsPerTask - 1) / tiling.rowsPerTask
      let stride = outBlocks * lanes
      sums = BandSums(
        storage: allocate(bands * stride), bands: bands, stride: stride,
        scale: 1 / Float(height * width))
    }
    if let sums { touched.append(sums.storage) }
    var multiplyAdds = 0
    for branch in branches {
      multiplyAdds +=
        branch.convolution.weightShape.reduce(1, *) * height * width / branch.window
        * (branch.mode == MUX_SPATIAL_SUPERPIXEL ? branch.window * branch.window : 1)
    }
    var expansion: (weights: PackedValues, cells: PackedCells?, bias: PackedValues)?
    var producerActivation = Activation.identity
    if case .expansion(_, let convolution, let weight, let affine, let activation) = producer {
      producerActivation = activation
      let inner = convolution.weightShape[1...].reduce(1, *)
      multiplyAdds += convolution.outputChannels * inner * expanded.height * expanded.width
      var columns =
        producer.window.map { hasCells ? windowColumns($0) : Array(0..<inner) }
        ?? Array(0..<inner)
      if hasCells {
        while columns.count % precision.valuesPerCell != 0 { columns.append(-1) }
      }
      let rows = layout.inputs
      func makeWeights() -> [Float] {
        WeightPacking.dense(
          weight, rowLength: inner, outputs: rows, inputs: columns, scale: affine.scale,
          lanes: lanes)
      }
      func makeBias() -> [Float] {
        WeightPacking.bias(affine.shift, outputs: rows, lanes: lanes)
      }
      if hasCells {
        let cells = takeCells(
          name, "expansion", blocks: rows.count / lanes, terms: columns.count,
          input: inputQuantization, weights: makeWeights, bias: makeBias)
        expansion = (.made([]), cells, cells.bias)
      } else {
        expansion = (
          packed.take(
            name, "expansion", lanes: lanes, count: rows.count * inner, makeWeights), nil,
          packed.take(name, "expansion bias", lanes: lanes, count: rows.count, makeBias)
        )
      }
    }
    let cellUnits = hasCells ? cellUnits(name, layout, middle: middle) : []
    let precision = hasCells ? precision : .float32
    addStep(name, "spatial", multiplyAdds: multiplyAdds, touching: touched) {
      [
        producerActivation, expansion, sums, layout, producer, inputPlanes, gathered, middle,
        result, observed, kept, pitch
      ] emitter in
      var step = mux_spatial_step()
      step.in_height = expanded.height
      step.in_width = expanded.width
      step.out_height = height
      step.out_width = width
      if let expansion {
        if let window = producer.window {
          step.window = emitter.window(
            window, input, height: expanded.height, width: expanded.width)
          if hasCells {
            let offsets = Self.cellOffsets(
              window, outputWidth: expanded.width, precision: precision)
            step.offsets = emitter.memory.copy(offsets)
            step.inner = offsets.count
          } else {
            step.window.taps = emitter.planeTaps(window, input)
            step.offsets = emitter.tapOffsets(step.window)
            step.inner = window.weightShape[1...].reduce(1, *)
          }
        } else {
          step.offsets = emitter.offsets(inputPlanes)
          step.inner = inputPlanes.count
        }
        step.weights =
          expansion.cells.map { emitter.cells($0.cells) } ?? emitter.memory.place(expansion.weights)
        step.scale = expansion.cells.flatMap { emitter.optional($0.scale) }
        step.bias = emitter.memory.place(expansion.bias)
      } else {
        step.offsets = emitter.memory.copy(
          layout.inputs.map { $0 < 0 ? -1 : emitter.offset(input.planes[$0]) })
      }
      step.pitch = pitch
      step.producer_activation = producerActivation.kernels
      step.precision = precision.kernels
      step.result_precision = resultPrecision.kernels
      step.gathered = gathered.kernels
      step.middle = middle.kernels
      step.result = result.kernels
      step.observed = observed.map { emitter.offset($0) } ?? -1
      step.units = emitter.memory.copy(
        hasCells
          ? cellUnits.map { unit in
            var described = unit.description
            described.weights = emitter.cells(unit.packed.cells)
            described.scale = emitter.optional(unit.packed.scale)
            described.bias = emitter.memory.place(unit.packed.bias)
            return described
          }
          : units.map { unit in
            var described = unit.description
            described.weights = emitter.memory.place(unit.weights)
            described.bias = emitter.memory.place(unit.bias)
            return described
          })
      step.unit_count = Int32(layout.units.count)
      step.units_per_task = Int32(tiling.unitsPerTask)
      step.rows_per_task = Int32(tiling.rowsPerTask)
      step.chunk = Int32(tiling.chunk)
      step.out_blocks = Int32(outBlocks)
      step.activation = activation.kernels
      step.out = emitter.offset(output)
      step.sums = sums.map { emitter.offset($0.storage) } ?? -1
      step.keeps = kept == nil ? 0 : 1
      step.kept = kept.map { emitter.offset($0.storage) } ?? 0
      return emitter.step(MUX_STEP_SPATIAL, step)
    }
    return BlockedTensor(
      storage: output, channels: layout.outputs, height: height, width: width, sums: sums,
      quantization: hasResultCells ? result : nil, expansion: kept)
  }

  /// Adds the copy of a blocked tensor to planes.
  mutating func unblocked(_ tensor: BlockedTensor, name: String) -> PlaneTensor {
    var positions = Array(repeating: Int32(0), count: tensor.channels.count { $0 >= 0 })
    for (position, channel) in tensor.channels.enumerated() where channel >= 0 {
      positions[channel] = Int32(position)
    }
    let output = allocatePlanes(positions.count, height: tensor.height, width: tensor.width)
    let pixels = tensor.height * tensor.width
    let tasks = taskCount(work: positions.count * pixels, atMost: positions.count)
    addStep(name, "unblock", touching: [tensor.storage, output.planes[0].storage]) {
      [positions] emitter in
      var step = mux_unblock()
      step.input = emitter.offset(tensor.storage)
      step.pixels = pixels
      step.planes = positions.count
      step.outputs = emitter.offsets(output.planes)
      step.positions = emitter.memory.copy(positions)
      step.tasks = Int32(tasks)
      return emitter.step(MUX_STEP_UNBLOCK, step)
    }
    return output
  }

  /// Compiles parallel convolutions that are no part of a block.
  mutating func compileBranches(
    _ branched: BranchedConvolution, at index: Int
  ) throws(RuntimeError) {
    let name = network.nodes[index].name
    let input = value(of: index, 0)
    let shape = shapes[index]
    let own = ownInputPixels(of: index)
    var result = PlaneTensor(planes: [], height: shape.height, width: shape.width)
    var first = 0
    for branch in branched.branches {
      let convolution = branch.convolution
      var slice = input
      slice.planes = Array(input.planes[first..<first + branch.inputChannels])
      first += branch.inputChannels
      var affine = Affine<Float>(channels: convolution.outputChannels)
      if convolution.hasBias { affine.after(bias: weights.bias("\(name).\(branch.name)")) }
      var layer = DenseLayer(
        name: "\(name).\(branch.name)", weight: weights.weight("\(name).\(branch.name)"),
        rowLength: convolution.weightShape[1...].reduce(1, *), columns: [],
        rows: Array(0..<convolution.outputChannels), affine: affine, activation: .identity)
      let r = branch.factor
      layer.isLinear =
        switch branch.multiplexing {
        case .none: isSinglePixel(convolution, own)
        case .subpixel:
          isSinglePixel(convolution, ((own.height + r - 1) / r, (own.width + r - 1) / r))
        case .superpixel: false
        }
      switch branch.multiplexing {
      case .none:
        result.planes += try addConvolution(
          convolution, slice, layer, height: shape.height, width: shape.width
        ).planes
      case .subpixel:
        let coarse = addMultiplex(
          name: layer.name, slice, toChannels: true, factor: r, height: input.height,
          width: input.width)
        let moved = try addConvolution(
          convolution, coarse, layer, height: coarse.height, width: coarse.width)
        result.planes +=
          addMultiplex(
            name: layer.name, moved, toChannels: false, factor: r, height: input.height,
            width: input.width
          ).planes
      case .superpixel:
        let fine = addMultiplex(
          name: layer.name, slice, toChannels: false, factor: r, height: input.height * r,
          width: input.width * r)
        let moved = try addConvolution(
          convolution, fine, layer, height: fine.height, width: fine.width)
        result.planes +=
          addMultiplex(
            name: layer.name, moved, toChannels: true, factor: r, height: fine.height,
            width: fine.width
          ).planes
      }
    }
    setValue(result, at: index)
  }
}
