// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import MUXNetworks

extension Emission {
  func emit(_ elementwise: ElementwiseStep, _ packed: PackedStep) -> mux_step {
    let a = elementwise.a
    var result = mux_elementwise()
    result.mode = elementwise.mode.kernels
    result.planes = a.count
    result.pixels = a.pixels
    result.a = offsets(a)
    if let b = elementwise.b { result.b = offsets(b) }
    result.outputs = targets(elementwise)
    if case .affine(let scale, let shift) = packed {
      result.scale = memory.place(scale)
      result.shift = memory.place(shift)
    }
    result.activation = elementwise.activation.kernels
    result.tasks = taskCount(work: a.count * a.pixels, atMost: a.count)
    return step(.elementwise, result)
  }

  /// Where the planes of the result begin: those of a value of the same shape, or one after the other in
  /// a value that has more, or single values.
  private func targets(_ elementwise: ElementwiseStep) -> UnsafePointer<Int32> {
    let output = program[elementwise.output], a = elementwise.a
    guard output.channels != a.count || output.pixels != a.pixels || output.format == .flat else {
      return offsets(elementwise.output)
    }
    let start = offset(elementwise.output) + elementwise.offset
    return memory.copy((0..<a.count).map { Int32(start + $0 * a.pixels) })
  }

  func emit(_ planes: PlaneStep) -> mux_step {
    let input = planes.input, output = program[planes.output]
    let inputs = offsets(input), outputs = offsets(planes.output)
    let tasks = taskCount(work: input.count * input.pixels, atMost: input.count)
    switch planes.function {
    case .pool(let pooling):
      var result = mux_pool_step()
      result.planes = input.count
      (result.in_height, result.in_width) = (input.height, input.width)
      (result.out_height, result.out_width) = (output.height, output.width)
      if let pooling {
        result.kernel = Int32(pooling.kernelSize)
        result.stride = Int32(pooling.stride)
        result.padding = Int32(pooling.padding)
        result.is_average = pooling.kind == .average ? 1 : 0
        result.counts_padding = pooling.countsPadding ? 1 : 0
      }
      (result.inputs, result.outputs, result.tasks) = (inputs, outputs, tasks)
      return step(.pool, result)
    case .adaptivePool:
      var result = mux_adaptive_pool()
      result.planes = input.count
      (result.in_height, result.in_width) = (input.height, input.width)
      (result.out_height, result.out_width) = (output.height, output.width)
      (result.inputs, result.outputs, result.tasks) = (inputs, outputs, tasks)
      return step(.adaptive_pool, result)
    case .pad(let top, let left):
      var result = mux_pad()
      result.planes = input.count
      (result.in_height, result.in_width) = (input.height, input.width)
      (result.out_height, result.out_width) = (output.height, output.width)
      (result.top, result.left) = (top, left)
      (result.inputs, result.outputs) = (inputs, outputs)
      result.tasks = taskCount(work: output.channels * output.pixels, atMost: input.count)
      return step(.pad, result)
    case .multiplex(let toChannels, let factor, let height, let width):
      let fine = toChannels ? input.count : input.count / (factor * factor)
      var result = mux_multiplex()
      result.to_channels = toChannels ? 1 : 0
      result.factor = Int32(factor)
      result.planes = fine
      (result.height, result.width) = (height, width)
      (result.inputs, result.outputs) = (inputs, outputs)
      result.tasks = taskCount(work: fine * height * width, atMost: fine)
      return step(.multiplex, result)
    }
  }

  func emit(_ norm: L2NormalizationStep, _ packed: PackedStep) -> mux_step {
    guard case .scale(let scale) = packed else { return mux_step() }
    let input = norm.input
    var result = mux_l2_norm()
    result.planes = input.count
    result.pixels = input.pixels
    result.epsilon = max(Float(norm.norm.epsilon), .leastNormalMagnitude)
    result.scale = memory.place(scale)
    result.inputs = offsets(input)
    result.outputs = offsets(norm.output)
    result.tasks = taskCount(work: input.count * input.pixels, atMost: input.pixels)
    return step(.l2_norm, result)
  }

  func emit(_ unblock: UnblockStep) -> mux_step {
    let output = program[unblock.output]
    var positions = Array(repeating: Int32(0), count: output.channels)
    for (lane, channel) in program[unblock.input].order.enumerated() where channel >= 0 {
      positions[channel] = Int32(lane)
    }
    var result = mux_unblock()
    result.input = offset(unblock.input)
    result.pixels = output.pixels
    result.planes = output.channels
    result.outputs = offsets(unblock.output)
    result.positions = memory.copy(positions)
    result.tasks = taskCount(work: output.channels * output.pixels, atMost: output.channels)
    return step(.unblock, result)
  }

  func emit(_ pack: PackStep) -> mux_step {
    let input = pack.input, output = program[pack.output], element = output.element
    var result = mux_pack()
    result.precision = element.precision.kernels
    result.planes = input.count
    result.pixels = input.pixels
    result.inputs = offsets(input)
    result.output = offset(pack.output)
    result.quantization = quantization(element.range)
    result.observed = offset(pack.observed)
    result.tasks = taskCount(work: input.count * input.pixels, atMost: output.planes)
    return step(.pack, result)
  }
}

extension ElementwiseStep.Mode {
  fileprivate var kernels: mux_elementwise_mode {
    switch self {
    case .unary: MUX_ELEMENTWISE_UNARY
    case .add: MUX_ELEMENTWISE_ADD
    case .multiply: MUX_ELEMENTWISE_MULTIPLY
    case .gate: MUX_ELEMENTWISE_GATE
    }
  }
}
