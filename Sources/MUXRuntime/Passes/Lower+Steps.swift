// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks

extension Lowering {
  /// Adds a step that makes new planes; gives them.
  mutating func add(
    _ name: String, _ channels: Int, _ height: Int, _ width: Int,
    _ operation: (ValueID) -> Step.Operation
  ) -> Planes {
    let output = program.add(PlanValue(channels: channels, height: height, width: width))
    program.steps.append(Step(name, operation(output)))
    return program.planes(output)
  }

  mutating func addElementwise(
    _ name: String, _ mode: ElementwiseStep.Mode, _ a: Planes, _ b: Planes? = nil,
    norm: LayerTensors.Norm? = nil, activation: Activation = .identity
  ) -> Planes {
    add(name, a.count, a.height, a.width) {
      .elementwise(
        ElementwiseStep(mode: mode, a: a, b: b, norm: norm, activation: activation, output: $0))
    }
  }

  mutating func addPlaneStep(
    _ name: String, _ function: PlaneStep.Function, _ input: Planes, _ shape: Shape
  ) -> Planes {
    add(name, shape.channels, shape.height, shape.width) {
      .planes(PlaneStep(function: function, input: input, output: $0))
    }
  }

  mutating func addLinear(
    _ name: String, _ input: Operand, _ tensors: LayerTensors, outputs: Int,
    activation: Activation, format: Format = .planes
  ) -> Planes {
    let output = program.add(PlanValue(channels: outputs, height: 1, width: 1, format: format))
    program.steps.append(
      Step(
        name,
        .linear(
          LinearStep(
            input: input, tensors: tensors, activation: activation, output: output))))
    return program.planes(output)
  }

  /// Adds a move between space and channels; `height` × `width` is the fine grid.
  mutating func addMultiplex(
    _ name: String, _ input: Planes, toChannels: Bool, factor: Int, height: Int, width: Int
  ) -> Planes {
    let window = factor * factor
    let coarse = ImageSize(
      height: (height + factor - 1) / factor, width: (width + factor - 1) / factor)
    let shape =
      toChannels
      ? Shape(channels: input.count * window, height: coarse.height, width: coarse.width)
      : Shape(channels: input.count / window, height: height, width: width)
    return addPlaneStep(
      name, .multiplex(toChannels: toChannels, factor: factor, height: height, width: width), input,
      shape)
  }

  // MARK: Without gaps

  /// Features one after the other: [C, H, W] → [C·H·W].
  mutating func flattened(_ planes: Planes, name: String) -> Planes {
    let output = program.add(PlanValue(channels: planes.count * planes.pixels, height: 1, width: 1))
    addCopy(planes, name, to: output, offset: 0)
    return program.planes(output)
  }

  /// The network's outputs one after the other, copied if need be.
  mutating func addOutputs() {
    let outputs = network.outputIndices.map { value($0) }
    func shape(_ planes: Planes) -> Shape {
      Shape(channels: planes.count, height: planes.height, width: planes.width)
    }
    if outputs.count == 1, let place = contiguous(outputs[0]) {
      program.outputs = [Program.Output(shape: shape(outputs[0]), place: place)]
      return
    }
    let count = outputs.reduce(0) { $0 + $1.count * $1.pixels }
    let output = program.add(PlanValue(channels: count, height: 1, width: 1, format: .flat))
    var offset = 0
    for (index, planes) in outputs.enumerated() {
      addCopy(
        planes, outputs.count == 1 ? "output" : "output.\(index)", to: output, offset: offset)
      program.outputs.append(
        Program.Output(shape: shape(planes), place: Plane(storage: output, offset: offset)))
      offset += planes.count * planes.pixels
    }
  }

  private mutating func addCopy(_ planes: Planes, _ name: String, to output: ValueID, offset: Int) {
    program.steps.append(
      Step(
        name,
        .elementwise(ElementwiseStep(mode: .unary, a: planes, output: output, offset: offset))))
  }

  /// Where planes begin that lie one after the other without gaps, and not where the input does.
  private func contiguous(_ planes: Planes) -> Plane? {
    guard let first = planes.channels.first.map(program.plane),
      first.storage != Program.input
    else { return nil }
    for (index, channel) in planes.channels.enumerated()
    where program.plane(channel)
      != Plane(storage: first.storage, offset: first.offset + index * planes.pixels)
    {
      return nil
    }
    return first
  }
}
