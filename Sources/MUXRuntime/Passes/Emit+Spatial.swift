// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import MUXNetworks

extension Emission {
  func emit(_ spatial: SpatialStep, _ step: Step, _ packed: PackedStep) -> mux_step {
    guard case .spatial(let expansion, let units) = packed else { return mux_step() }
    let output = program[spatial.output]
    var result = mux_spatial_step()
    result.in_height = spatial.expanded.height
    result.in_width = spatial.expanded.width
    result.out_height = output.height
    result.out_width = output.width
    result.pitch = 1
    emitInput(spatial, &result)
    if let expansion {
      result.weights = weights(expansion)
      result.scale = optional(expansion.scale)
      result.bias = memory.place(expansion.bias)
    }
    result.producer_activation = (spatial.expansion?.activation ?? spatial.inputActivation).kernels
    emitPrecision(spatial, step, &result)
    result.units = memory.copy(
      zip(spatial.layout.units, units).map { emit($0, $1, of: spatial) })
    result.unit_count = Int32(units.count)
    result.units_per_task = Int32(spatial.tiling.unitsPerTask)
    result.rows_per_task = Int32(spatial.tiling.rowsPerTask)
    result.chunk = Int32(spatial.tiling.chunk)
    result.out_blocks = Int32(spatial.layout.outputs.count / lanes)
    result.activation = spatial.activation.kernels
    result.out = offset(spatial.output)
    result.sums = offset(spatial.sums)
    result.keeps = spatial.kept == nil ? 0 : 1
    result.kept = spatial.kept.map { offset($0) } ?? 0
    return self.step(.spatial, result)
  }

  private func emitInput(_ spatial: SpatialStep, _ result: inout mux_spatial_step) {
    switch spatial.input {
    case .value(let id):
      let value = program[id]
      if case .blocked = value.format {
        result.pitch = lanes
        result.offsets = laneOffsets(id)
        result.inner = value.channels
      } else {
        result.offsets = offsets(id)
        result.inner = value.planes
      }
    case .planes(let planes):
      guard let expansion = spatial.expansion else {
        result.offsets = memory.copy(
          spatial.layout.inputs.map { $0 < 0 ? -1 : offset(planes.channels[$0]) })
        return
      }
      guard let window = expansion.window else {
        result.offsets = offsets(planes)
        result.inner = planes.count
        return
      }
      result.window = self.window(window, planes, spatial.expanded)
      if spatial.precision == .float32 {
        result.window.taps = planeTaps(window, planes)
        result.offsets = tapOffsets(result.window)
        result.inner = window.weightShape[1...].reduce(1, *)
      } else {
        let offsets = Self.groupOffsets(
          window, outputWidth: spatial.expanded.width, precision: spatial.precision)
        result.offsets = memory.copy(offsets)
        result.inner = offsets.count
      }
    }
  }

  private func emitPrecision(
    _ spatial: SpatialStep, _ step: Step, _ result: inout mux_spatial_step
  ) {
    let multipliesGroups = spatial.precision != .float32
    result.precision = spatial.precision.kernels
    result.result_precision =
      (multipliesGroups ? .float32 : program[spatial.output].element.precision).kernels
    result.gathered = quantization(step.range("gathered"))
    result.middle = quantization(step.range("middle"))
    result.result = quantization(step.range("result"))
    result.observed = offset(spatial.observed)
  }

  private func emit(
    _ unit: SpatialLayout.Unit, _ packed: PackedProduct, of step: SpatialStep
  ) -> mux_spatial_unit {
    let branch = step.branches[unit.branch]
    var result = mux_spatial_unit()
    result.mode = unit.mode.kernels
    result.first_in = Int32(unit.firstIn)
    result.in_count = Int32(unit.inCount)
    result.first_out = Int32(unit.firstOut)
    result.out_count = Int32(unit.outCount)
    result.kernel = Int32(unit.kernel)
    result.stride = Int32(branch.convolution.stride)
    result.dilation = Int32(branch.convolution.dilation)
    result.top = Int32(branch.zeros.height)
    result.left = Int32(branch.zeros.width)
    result.factor = Int32(branch.factor)
    result.weights = weights(packed)
    result.scale = optional(packed.scale)
    result.bias = memory.place(packed.bias)
    return result
  }
}

extension SpatialMode {
  fileprivate var kernels: mux_spatial_mode {
    switch self {
    case .plain: MUX_SPATIAL_PLAIN
    case .subpixel: MUX_SPATIAL_SUBPIXEL
    case .superpixel: MUX_SPATIAL_SUPERPIXEL
    case .narrowSuperpixel: MUX_SPATIAL_SUPERPIXEL_NARROW
    }
  }
}
