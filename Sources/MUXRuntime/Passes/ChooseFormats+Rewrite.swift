// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks

/// The second half of the pass: steps are rewritten for the formats that were chosen, and what converts
/// stands before those that want another.
extension FormatChoice {
  mutating func rewrite(_ step: Step, at index: Int) {
    var step = step
    switch step.operation {
    case .spatial(var spatial):
      if let activation = activation(before: spatial, at: index) {
        spatial.input = .planes(activation.a)
        spatial.inputActivation = activation.activation
      }
      step.operation = .spatial(rewritten(spatial, step))
    case .dense(let dense): step.operation = .dense(rewritten(dense, step))
    case .linear(var linear):
      linear.weights = linearWeights(
        inputs: program.inputs(of: linear), outputs: program.outputs(of: linear))
      step.operation = .linear(linear)
    case .elementwise, .planes, .l2Normalization, .unblock, .pack: break
    }
    program.steps.append(step)
  }

  private mutating func rewritten(_ spatial: SpatialStep, _ step: Step) -> SpatialStep {
    var spatial = spatial
    let multipliesGroups = multipliesGroups(spatial)
    if multipliesGroups { narrow(&spatial) }
    if spatial.expansion == nil, case .planes(let planes) = spatial.input,
      let value = program.whole(planes), isChosen(value)
    {
      spatial.input = .value(value)
    }
    if let expansion = spatial.expansion, expansion.window == nil,
      case .planes(let planes) = spatial.input
    {
      if let value = program.whole(planes), isChosen(value) {
        spatial.input = .value(value)
      } else if multipliesGroups {
        spatial.input = .value(addPack(planes, for: step))
      }
    }
    if multipliesGroups {
      spatial.precision = precision
      spatial.observed = addExtremes(["gathered", "middle", "result"])
      if let kept = spatial.kept {
        program[kept].format = .blocked(
          order: program[kept].order, Element(precision: .bfloat16))
      }
    } else if isProjected(spatial), precision != .float32 {
      spatial.observed = addExtremes(["result"])
    }
    if isProjected(spatial), precision != .float32 {
      program[spatial.output].format = .blocked(
        order: spatial.layout.outputs,
        Element(precision: precision, range: step.range("result")))
    }
    return spatial
  }

  /// Whether a value was given another format for its only reader.
  private func isChosen(_ value: ValueID) -> Bool {
    switch program[value].format {
    case .blocked, .groups: true
    case .planes, .flat, .sums, .gate, .extremes: false
    }
  }

  /// Has superpixel branches lie with all phases in a block.
  private mutating func narrow(_ spatial: inout SpatialStep) {
    let height = program[spatial.output].height
    spatial.layout = SpatialLayout(spatial.branches, lanes: lanes, isAlwaysNarrow: true)
    spatial.tiling = SpatialTiling(
      spatial.layout, input: spatial.inputShape, expanded: spatial.expanded, outputHeight: height,
      gathersWindows: spatial.expansion?.window != nil)
    program[spatial.output].format = .blocked(order: spatial.layout.outputs, .float32)
    if let sums = spatial.sums {
      program[sums].format = .sums(
        of: spatial.output, bands: spatial.tiling.bands(outputHeight: height))
    }
  }

  private mutating func rewritten(_ dense: DenseStep, _ step: Step) -> DenseStep {
    var dense = dense
    if dense.linearWeights != nil {
      dense.linearWeights = linearWeights(inputs: dense.rowLength, outputs: dense.rows.count)
      return dense
    }
    guard precision != .float32 else {
      dense.winograd = winograd(of: dense)
      if case .planes(let planes) = dense.source, let value = program.whole(planes),
        isChosen(value)
      {
        dense.source = .value(value)
      }
      return dense
    }
    switch dense.source {
    case .planes(let planes):
      dense.source = .value(addPack(planes, for: step))
      dense.precision = precision
    case .windows(_, let convolution) where convolution.dilation == 1:
      dense.observed = addExtremes(["input"])
      dense.precision = precision
    case .windows: break
    case .value: dense.precision = precision
    }
    return dense
  }

  /// What is read once per image is as slow as memory: half the bytes, half the time.
  private func linearWeights(inputs: Int, outputs: Int) -> Precision {
    let count = (outputs + lanes - 1) / lanes * lanes * inputs
    if precision == .int8, inputs % 4 == 0, count >= 1 << 18 { return .int8 }
    return precision != .float32 && count >= 1 << 15 ? .bfloat16 : .float32
  }

  /// Adds a step that makes groups of planes; gives them.
  private mutating func addPack(_ planes: Planes, for step: Step) -> ValueID {
    let observed = addExtremes(["input"])
    let groups = program.add(
      PlanValue(
        channels: planes.count, height: planes.height, width: planes.width,
        format: .groups(Element(precision: precision, range: step.range("input")))))
    program.steps.append(
      Step(step.name, .pack(PackStep(input: planes, output: groups, observed: observed))))
    return groups
  }

  /// A value for the least and the greatest values of a layer's tensors, if they are measured.
  private mutating func addExtremes(_ tensors: [String]) -> ValueID? {
    guard isObserving else { return nil }
    return program.add(
      PlanValue(
        channels: 2 * tensors.count, height: 1, width: 1,
        format: .extremes(tensors: tensors.count)))
  }
}
