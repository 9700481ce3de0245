// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import MUXNetworks

extension Emission {
  func emit(_ dense: DenseStep, _ step: Step, _ packed: PackedStep) -> mux_step {
    guard case .dense(let product) = packed else { return mux_step() }
    let inner = program.columns(of: dense).count
    var result = mux_dense()
    result.inner = inner
    result.outer = dense.rows.count
    result.weights = weights(of: dense, product)
    result.scale = optional(product.scale)
    result.bias = memory.place(product.bias)
    result.precision = dense.precision.kernels
    result.cells = dense.precision == .float32 ? 0 : inner / dense.precision.valuesPerGroup
    result.observed = offset(dense.observed)
    result.has_half_block = program.hasHalfBlock(dense) ? 1 : 0
    result.activation = dense.activation.kernels
    result.final_activation = (dense.sum?.activation ?? .identity).kernels
    result.pixels = dense.pixels
    result.gate = offset(dense.gate)
    emitSource(dense, step, &result)
    emitResult(dense, &result)
    if let winograd = dense.winograd { emit(winograd, of: dense, &result) }
    let bands = bands(dense, inner: inner)
    result.pixel_bands = Int32(bands.pixels)
    result.block_bands = Int32(bands.blocks)
    return self.step(.dense, result)
  }

  /// The weights as the kernel reads them.
  private func weights(of dense: DenseStep, _ product: PackedProduct) -> UnsafePointer<Float> {
    if dense.winograd != nil { return tileWeights(dense, product) }
    if case .windows(_, let convolution) = dense.source,
      convolution.joinsChannels(dense.precision), let groups = product.groups, !groups.isEmpty
    {
      return self.groups(.made(joined(groups, convolution, dense.precision)))
    }
    return weights(product)
  }

  private func emitSource(_ dense: DenseStep, _ step: Step, _ result: inout mux_dense) {
    result.step = 1
    result.quantization = Quantization.none.kernels
    switch dense.source {
    case .planes(let planes): result.offsets = offsets(planes)
    case .value(let id):
      let value = program[id]
      result.quantization = quantization(value.element.range)
      if case .blocked = value.format {
        result.step =
          value.element.precision == .float32
          ? lanes : lanes / value.element.precision.valuesPerGroup
        result.offsets = memory.copy(laneGroups(id))
      } else {
        result.offsets = offsets(id)
      }
    case .windows(let planes, let convolution):
      result.window = window(convolution, planes, dense.size)
      if convolution.joinsChannels(dense.precision) {
        result.quantization = quantization(step.range("input"))
        emitJoined(convolution, dense, &result)
      } else if dense.precision == .float32 {
        result.step = convolution.stride
        result.offsets = tapOffsets(result.window)
      } else {
        result.step = convolution.stride * dense.precision.valueSize
        result.quantization = quantization(step.range("input"))
        result.offsets = memory.copy(
          Self.groupOffsets(
            convolution, outputWidth: dense.size.width, precision: dense.precision))
      }
    }
  }

  /// Where the lanes of a blocked value begin that are read: each, or the first of each group.
  private func laneGroups(_ id: ValueID) -> [Int32] {
    let value = program[id], start = offset(id), used = value.usedLanes
    let precision = value.element.precision
    let values = precision == .float32 ? 1 : precision.valuesPerGroup
    return stride(from: 0, to: used.count, by: values).map { index in
      let lane = used[index]
      return Int32(
        start + lane / lanes * value.pixels * (lanes / values) + lane % lanes / values)
    }
  }

  private func emitResult(_ dense: DenseStep, _ result: inout mux_dense) {
    let output = program[dense.output]
    switch output.format {
    case .groups(let element):
      result.packs = 1
      result.packed = offset(dense.output)
      result.packed_quantization = quantization(element.range)
    case .blocked:
      result.is_blocked = 1
      result.blocked = offset(dense.output)
    case .planes, .flat, .sums, .gate, .extremes:
      if dense.isPooled {
        result.means = offset(dense.output)
        return
      }
      result.outputs = offsets(dense.output)
    }
    switch dense.sum?.addend {
    case .value(let kept):
      result.has_blocked_residual = 1
      result.blocked_residual = offset(kept)
      result.blocked_residual_precision = program[kept].element.precision.kernels
    case .planes(let planes): result.residuals = offsets(planes)
    case nil: break
    }
  }

  /// Bands of pixels (or rows) times bands of blocks.
  private func bands(_ dense: DenseStep, inner: Int) -> (pixels: Int, blocks: Int) {
    let outer = dense.rows.count, pixels = dense.pixels
    if let winograd = dense.winograd {
      // Each band of blocks transforms the inputs again.
      let pairs = (outer + 2 * lanes - 1) / (2 * lanes)
      return (winograd.bands, winograd.bands == 1 ? max(1, min(4, pairs / 4)) : 1)
    }
    let wanted = max(1, min(16, inner * outer * pixels / 150_000))
    let pixelBands: Int
    if dense.isPooled {
      pixelBands = 1
    } else if case .windows = dense.source {
      pixelBands = min(wanted, dense.size.height)
    } else {
      pixelBands = pixels >= 16 * lanes ? min(wanted, pixels / (4 * lanes)) : 1
    }
    // The kernels do blocks in pairs.
    let blocks = (outer + lanes - 1) / lanes
    return (pixelBands, pixelBands == 1 ? min(wanted, (blocks + 1) / 2) : 1)
  }

  func emit(_ linear: LinearStep, _ packed: PackedStep) -> mux_step {
    guard case .linear(let packing) = packed else { return mux_step() }
    let inner = program.inputs(of: linear), outer = program.outputs(of: linear)
    let blocks = (outer + lanes - 1) / lanes
    var result = mux_linear()
    result.bands = 1
    result.scale = 1
    switch linear.input {
    case .value(let id):
      result.input = offset(id)
      if case .sums(let blocked, let bands) = program[id].format {
        result.bands = bands
        result.band_stride = program[blocked].order.count
        result.scale = 1 / Float(program[blocked].pixels)
      }
    case .planes(let planes):
      result.input = planes.channels.first.map { Int(offset($0)) } ?? 0
      if !areAdjacent(planes) { result.offsets = offsets(planes) }
    }
    result.inner = inner
    result.outer = outer
    switch packing.values {
    case .float32(let values): result.weights = memory.place(values)
    case .bfloat16(let values): result.short_weights = memory.place(values)
    case .int8(let groups):
      result.cells = memory.place(groups.groups)
      result.cell_scale = memory.place(groups.scale)
      result.cell_sums = memory.place(groups.sums)
    }
    result.bias = memory.place(packing.bias)
    result.activation = linear.activation.kernels
    result.output = offset(linear.output)
    result.tasks = Int32(min(blocks, max(1, min(16, inner * blocks * lanes / 60_000))))
    return self.step(.linear, result)
  }

  /// Whether single values lie one after the other.
  private func areAdjacent(_ planes: Planes) -> Bool {
    guard let first = planes.channels.first.map(program.plane) else { return true }
    return planes.channels.indices.allSatisfy {
      program.plane(planes.channels[$0])
        == Plane(storage: first.storage, offset: first.offset + $0)
    }
  }
}
