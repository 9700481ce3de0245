// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import MUXNetworks
internal import MUXWeights

extension PlanCompiler {
  /// Features of a blocked tensor: sums per band, in the order of its lanes.
  struct BandSums {
    var storage: Int
    var bands: Int
    var stride: Int
    var scale: Float
  }

  /// Adds a fully connected layer on planes of one value each, or on sums.
  mutating func addLinear(
    name: String, inputs: [Plane], sums: BandSums?, weight: [Float], columns: [Int], rows: [Int],
    affine: Affine<Float>, activation: Activation
  ) -> PlaneTensor {
    let output = allocatePlanes(rows.count, height: 1, width: 1)
    let inner = columns.count
    let blocks = (rows.count + lanes - 1) / lanes
    let lanes = lanes
    func makeWeights() -> [Float] {
      WeightPacking.dense(
        weight, rowLength: columns.count { $0 >= 0 }, outputs: rows, inputs: columns,
        scale: affine.scale, lanes: lanes)
    }
    let packing = takeLinear(name, blocks: blocks, inner: inner, weights: makeWeights) {
      WeightPacking.bias(affine.shift, outputs: rows, lanes: lanes)
    }
    let isContiguous = Self.isContiguous(inputs)
    var touched = inputs.map(\.storage)
    if let sums { touched.append(sums.storage) }
    let tasks = min(blocks, max(1, min(16, inner * blocks * lanes / 60_000)))
    addStep(
      name, "linear", multiplyAdds: inner * rows.count,
      touching: touched + [output.planes[0].storage]
    ) { emitter in
      var step = mux_linear()
      if let sums {
        step.input = emitter.offset(sums.storage)
        step.bands = sums.bands
        step.band_stride = sums.stride
        step.scale = sums.scale
      } else {
        step.input = Int(emitter.offset(inputs[0]))
        if !isContiguous { step.offsets = emitter.offsets(inputs) }
        step.bands = 1
        step.scale = 1
      }
      step.inner = inner
      step.outer = rows.count
      switch packing.values {
      case .float32(let values): step.weights = emitter.memory.place(values)
      case .bfloat16(let values): step.short_weights = emitter.memory.place(values)
      case .int8(let cells):
        step.cells = emitter.memory.place(cells.cells)
        step.cell_scale = emitter.memory.place(cells.scale)
        step.cell_sums = emitter.memory.place(cells.sums)
      }
      step.bias = emitter.memory.place(packing.bias)
      step.activation = activation.kernels
      step.output = Int(emitter.offset(output.planes[0]))
      step.tasks = Int32(tasks)
      return emitter.step(MUX_STEP_LINEAR, step)
    }
    return output
  }

  /// Adds an operation value by value.
  mutating func addElementwise(
    name: String, _ mode: mux_elementwise_mode, _ a: PlaneTensor, _ b: PlaneTensor?,
    affine: Affine<Float>?, activation: Activation, output: PlaneTensor? = nil
  ) -> PlaneTensor {
    let output =
      output ?? allocatePlanes(a.planes.count, height: a.height, width: a.width)
    let touched = (a.planes + (b?.planes ?? []) + output.planes).map(\.storage)
    let tasks = taskCount(work: a.planes.count * a.pixels, atMost: a.planes.count)
    let affine = affine.map { affine in
      let count = a.planes.count
      return (
        scale: packed.take(name, "scale", lanes: 1, count: count) { affine.scale },
        shift: packed.take(name, "shift", lanes: 1, count: count) { affine.shift }
      )
    }
    addStep(name, "elementwise", touching: touched) { emitter in
      var step = mux_elementwise()
      step.mode = mode
      step.planes = a.planes.count
      step.pixels = a.pixels
      step.a = emitter.offsets(a.planes)
      if let b { step.b = emitter.offsets(b.planes) }
      step.outputs = emitter.offsets(output.planes)
      if let affine {
        step.scale = emitter.memory.place(affine.scale)
        step.shift = emitter.memory.place(affine.shift)
      }
      step.activation = activation.kernels
      step.tasks = Int32(tasks)
      return emitter.step(MUX_STEP_ELEMENTWISE, step)
    }
    return output
  }

  /// Adds a pool; without settings, the mean over the plane.
  mutating func addPool(
    name: String, _ input: PlaneTensor, _ pooling: Pooling?, _ shape: Shape
  ) -> PlaneTensor {
    let output = allocatePlanes(shape.channels, height: shape.height, width: shape.width)
    let tasks = taskCount(work: input.planes.count * input.pixels, atMost: input.planes.count)
    addStep(name, "pool", touching: (input.planes + output.planes).map(\.storage)) { emitter in
      var step = mux_pool_step()
      step.planes = input.planes.count
      step.in_height = input.height
      step.in_width = input.width
      step.out_height = shape.height
      step.out_width = shape.width
      if let pooling {
        step.kernel = Int32(pooling.kernelSize)
        step.stride = Int32(pooling.stride)
        step.padding = Int32(pooling.padding)
        step.is_average = pooling.kind == .average ? 1 : 0
        step.counts_padding = pooling.countsPadding ? 1 : 0
      }
      step.inputs = emitter.offsets(input.planes)
      step.outputs = emitter.offsets(output.planes)
      step.tasks = Int32(tasks)
      return emitter.step(MUX_STEP_POOL, step)
    }
    return output
  }

  /// Adds a move between space and channels; `height` × `width` is the fine grid.
  mutating func addMultiplex(
    name: String, _ input: PlaneTensor, toChannels: Bool, factor: Int, height: Int, width: Int
  ) -> PlaneTensor {
    let window = factor * factor
    let coarseHeight = (height + factor - 1) / factor, coarseWidth = (width + factor - 1) / factor
    let fine = toChannels ? input.planes.count : input.planes.count / window
    let output =
      toChannels
      ? allocatePlanes(fine * window, height: coarseHeight, width: coarseWidth)
      : allocatePlanes(fine, height: height, width: width)
    let tasks = taskCount(work: fine * height * width, atMost: fine)
    addStep(name, "multiplex", touching: (input.planes + output.planes).map(\.storage)) {
      emitter in
      var step = mux_multiplex()
      step.to_channels = toChannels ? 1 : 0
      step.factor = Int32(factor)
      step.planes = fine
      step.height = height
      step.width = width
      step.inputs = emitter.offsets(input.planes)
      step.outputs = emitter.offsets(output.planes)
      step.tasks = Int32(tasks)
      return emitter.step(MUX_STEP_MULTIPLEX, step)
    }
    return output
  }

  /// Features one after the other: [C, H, W] → [C·H·W].
  mutating func flattened(_ value: PlaneTensor, name: String) -> PlaneTensor {
    let count = value.planes.count * value.pixels
    let output = allocatePlanes(count, height: 1, width: 1)
    let target = PlaneTensor(
      planes: value.planes.indices.map {
        Plane(storage: output.planes[0].storage, offset: $0 * value.pixels)
      }, height: value.height, width: value.width)
    _ = addElementwise(
      name: name, MUX_ELEMENTWISE_UNARY, value, nil, affine: nil, activation: .identity,
      output: target)
    return output
  }

  /// The same values without gaps, copied if need be.
  mutating func contiguous(_ value: PlaneTensor, name: String) -> PlaneTensor {
    let first = value.planes[0]
    let isContiguous = value.planes.indices.allSatisfy {
      value.planes[$0].storage == first.storage
        && value.planes[$0].offset == first.offset + $0 * value.pixels
    }
    if isContiguous && first.storage != input.planes[0].storage { return value }
    let storage = allocate(value.planes.count * value.pixels)
    let target = PlaneTensor(
      planes: value.planes.indices.map { Plane(storage: storage, offset: $0 * value.pixels) },
      height: value.height, width: value.width)
    return addElementwise(
      name: name, MUX_ELEMENTWISE_UNARY, value, nil, affine: nil, activation: .identity,
      output: target)
  }

  /// Several values one after the other, copied into one storage.
  mutating func joined(_ values: [PlaneTensor]) -> [PlaneTensor] {
    let storage = allocate(values.reduce(0) { $0 + $1.planes.count * $1.pixels })
    var start = 0
    return values.enumerated().map { index, value in
      let target = PlaneTensor(
        planes: value.planes.indices.map {
          Plane(storage: storage, offset: start + $0 * value.pixels)
        }, height: value.height, width: value.width)
      start += value.planes.count * value.pixels
      return addElementwise(
        name: "output.\(index)", MUX_ELEMENTWISE_UNARY, value, nil, affine: nil,
        activation: .identity, output: target)
    }
  }

  /// Enough tasks for some threads, none too small to be worth a hand-over.
  func taskCount(work: Int, atMost limit: Int) -> Int {
    max(1, min(16, limit, work / 30_000))
  }

  static func isContiguous(_ planes: [Plane]) -> Bool {
    guard let first = planes.first else { return true }
    return planes.indices.allSatisfy {
      planes[$0] == Plane(storage: first.storage, offset: first.offset + $0)
    }
  }
}
