// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import MUXNetworks

extension PlanCompiler {
  /// Adds means over a grid of windows that cover each plane.
  mutating func addAdaptivePool(
    name: String, _ input: PlaneTensor, _ shape: Shape
  ) -> PlaneTensor {
    let output = allocatePlanes(shape.channels, height: shape.height, width: shape.width)
    let tasks = taskCount(work: input.planes.count * input.pixels, atMost: input.planes.count)
    addStep(name, "pool", touching: (input.planes + output.planes).map(\.storage)) { emitter in
      var step = mux_adaptive_pool()
      step.planes = input.planes.count
      step.in_height = input.height
      step.in_width = input.width
      step.out_height = shape.height
      step.out_width = shape.width
      step.inputs = emitter.offsets(input.planes)
      step.outputs = emitter.offsets(output.planes)
      step.tasks = Int32(tasks)
      return emitter.step(MUX_STEP_ADAPTIVE_POOL, step)
    }
    return output
  }

  /// Adds zeros around each plane, or cuts off.
  mutating func addPad(
    name: String, _ input: PlaneTensor, _ padding: ImagePadding, _ shape: Shape
  ) -> PlaneTensor {
    let output = allocatePlanes(shape.channels, height: shape.height, width: shape.width)
    let tasks = taskCount(work: shape.count, atMost: input.planes.count)
    addStep(name, "pad", touching: (input.planes + output.planes).map(\.storage)) { emitter in
      var step = mux_pad()
      step.planes = input.planes.count
      step.in_height = input.height
      step.in_width = input.width
      step.out_height = shape.height
      step.out_width = shape.width
      step.top = padding.top
      step.left = padding.left
      step.inputs = emitter.offsets(input.planes)
      step.outputs = emitter.offsets(output.planes)
      step.tasks = Int32(tasks)
      return emitter.step(MUX_STEP_PAD, step)
    }
    return output
  }

  /// Adds the normalisation of each pixel's channels, in single precision whatever the plan's is.
  mutating func addL2Normalization(
    name: String, _ input: PlaneTensor, _ norm: L2Normalization
  ) -> PlaneTensor {
    let output = allocatePlanes(input.planes.count, height: input.height, width: input.width)
    let tasks = taskCount(work: input.planes.count * input.pixels, atMost: input.pixels)
    let scale = packed.take(name, "scale", lanes: 1, count: norm.channels) {
      weights.values(.channelScale, of: name)
    }
    addStep(name, "l2 norm", touching: (input.planes + output.planes).map(\.storage)) { emitter in
      var step = mux_l2_norm()
      step.planes = input.planes.count
      step.pixels = input.pixels
      step.epsilon = max(Float(norm.epsilon), .leastNormalMagnitude)
      step.scale = emitter.memory.place(scale)
      step.inputs = emitter.offsets(input.planes)
      step.outputs = emitter.offsets(output.planes)
      step.tasks = Int32(tasks)
      return emitter.step(MUX_STEP_L2_NORM, step)
    }
    return output
  }
}
