// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks
internal import MUXWeights

extension Packing {
  mutating func pack(_ spatial: SpatialStep, _ step: Step) throws(RuntimeError) -> PackedStep {
    let multipliesGroups = spatial.precision != .float32
    func element(_ tensor: String) -> Element {
      Element(precision: spatial.precision, range: step.range(tensor))
    }
    if multipliesGroups {
      if spatial.expansion?.window != nil { try quantize(element("gathered")) }
      try quantize(element("middle"))
    }
    try quantize(program[spatial.output].element)
    return products(spatial, step)
  }

  private func products(_ spatial: SpatialStep, _ step: Step) -> PackedStep {
    lazy var units = SpatialWeights(
      spatial, channels: program[spatial.output].channels, weights: weights)
    guard spatial.precision != .float32 else {
      let packed = spatial.layout.units.map { unit in
        let (count, biases) = SpatialWeights.counts(unit, spatial)
        return PackedProduct(
          values: source.take(step.name, unit.use, lanes: lanes, count: count) {
            units.weights(of: unit)
          },
          bias: source.take(step.name, "\(unit.use) bias", lanes: lanes, count: biases) {
            units.bias(of: unit)
          })
      }
      return .spatial(
        expansion: spatial.expansion.map { pack($0, spatial, step) }, units: packed)
    }
    let expansion = spatial.expansion.map { pack($0, spatial, step) }
    let middle = quantization(step.range("middle"))
    let packed = spatial.layout.units.map { unit in
      let inner = unit.inCount, window = unit.windowSize
      let outer = SpatialWeights.counts(unit, spatial).biases / lanes
      let values = spatial.precision.valuesPerGroup
      let rows = (window.rows + values - 1) / values * values
      return takeGroups(
        step.name, unit.use, spatial.precision, blocks: outer,
        terms: inner * rows * window.taps, taps: window.taps, input: middle,
        weights: { units.grouped(unit, values: values) },
        bias: { units.bias(of: unit) })
    }
    return .spatial(expansion: expansion, units: packed)
  }

  private func pack(
    _ expansion: Expansion, _ spatial: SpatialStep, _ step: Step
  ) -> PackedProduct {
    let rows = spatial.layout.inputs, channels = expansion.convolution.outputChannels
    let columns = program.columns(of: expansion, spatial.precision)
    lazy var affine = weights.affine(expansion.tensors, channels: channels)
    func makeWeights() -> [Float] {
      WeightPacking.dense(
        weights.weight(expansion.tensors),
        rowLength: expansion.convolution.weightShape[1...].reduce(1, *), outputs: rows,
        inputs: columns, scale: affine.scale, lanes: lanes)
    }
    func makeBias() -> [Float] {
      WeightPacking.bias(affine.shift, outputs: rows, lanes: lanes)
    }
    guard spatial.precision == .float32 else {
      var range = step.range("gathered")
      if case .value(let id) = spatial.input { range = program[id].element.range }
      return takeGroups(
        step.name, "expansion", spatial.precision, blocks: rows.count / lanes,
        terms: columns.count, input: quantization(range), weights: makeWeights, bias: makeBias)
    }
    return PackedProduct(
      values: source.take(
        step.name, "expansion", lanes: lanes, count: rows.count * columns.count, makeWeights),
      bias: source.take(
        step.name, "expansion bias", lanes: lanes, count: rows.count, makeBias))
  }
}
