// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks
internal import MUXWeights

/// What a product's kernel reads: weights, and what belongs to their outputs.
struct PackedProduct {
  /// In single precision; nothing where there are groups.
  var values = PackedValues.made([])
  /// VNNI groups.
  var groups: PackedArray<Int32>?
  /// What a product of integers is worth, by output; empty but for 8 bits.
  var scale = PackedValues.made([])
  var bias: PackedValues
}

/// The weights of a step in the order of its kernel.
enum PackedStep {
  case none
  case spatial(expansion: PackedProduct?, units: [PackedProduct])
  case dense(PackedProduct)
  case linear(LinearPacking)
  /// A factor for each plane, and what is added.
  case affine(scale: PackedValues, shift: PackedValues)
  case scale(PackedValues)
}

/// The fourth pass: the weights of all steps, and the quantisation of tensors with ranges.
///
/// A packed file has weights in the order in which they are taken here, under the same names; what is
/// renamed or taken in another order makes files of earlier versions useless.
struct Packing {
  let program: Program
  let weights: LayerWeights
  let source: PackedWeightSource
  let calibration: Calibration?
  var quantizations: [String: Quantization] = [:]

  var lanes: Int { program.target.lanes }

  /// The weights of all steps in order, and the quantisations of tensors by the keys of their ranges.
  ///
  /// - Throws: ``RuntimeError/calibration(layer:)`` for a range that is not there.
  static func pack(
    _ program: Program, weights: LayerWeights, source: PackedWeightSource,
    calibration: Calibration?
  ) throws(RuntimeError) -> (steps: [PackedStep], quantizations: [String: Quantization]) {
    var packing = Packing(
      program: program, weights: weights, source: source, calibration: calibration)
    var steps: [PackedStep] = []
    steps.reserveCapacity(program.steps.count)
    for step in program.steps { steps.append(try packing.pack(step)) }
    return (steps, packing.quantizations)
  }

  private mutating func pack(_ step: Step) throws(RuntimeError) -> PackedStep {
    let name = step.name
    switch step.operation {
    case .spatial(let spatial): return try pack(spatial, step)
    case .dense(let dense):
      try quantize(program[dense.output].element)
      if case .windows = dense.source, dense.precision != .float32 {
        try quantize(Element(precision: dense.precision, range: step.range("input")))
      }
      return .dense(pack(dense, step))
    case .linear(let linear):
      let (rows, columns) = program.rowsAndColumns(of: linear)
      return .linear(
        packLinear(
          name, linear.weights, linear.tensors, rows: rows, columns: columns,
          rowLength: columns.count { $0 >= 0 }, channels: program[linear.output].channels))
    case .elementwise(let elementwise):
      guard let norm = elementwise.norm else { return .none }
      let count = elementwise.a.count
      let affine = weights.folded(norm.norm, name: norm.name)
      return .affine(
        scale: source.take(name, "scale", lanes: 1, count: count) { affine.scale },
        shift: source.take(name, "shift", lanes: 1, count: count) { affine.shift })
    case .l2Normalization(let norm):
      return .scale(
        source.take(name, "scale", lanes: 1, count: norm.norm.channels) {
          weights.values(.channelScale, of: name)
        })
    case .pack(let pack):
      try quantize(program[pack.output].element)
      return .none
    case .planes, .unblock: return .none
    }
  }

  /// Notes how a tensor is quantised.
  mutating func quantize(_ element: Element) throws(RuntimeError) {
    guard element.precision == .int8, !source.isListing else { return }
    guard let range = calibration?.ranges[element.range] else {
      throw .calibration(layer: element.range)
    }
    quantizations[element.range] = Quantization(range)
  }

  func quantization(_ key: String) -> Quantization { quantizations[key] ?? .none }

  private func pack(_ dense: DenseStep, _ step: Step) -> PackedProduct {
    let name = step.name
    let rows = Array(dense.rows), columns = program.columns(of: dense)
    let blocks = (rows.count + lanes - 1) / lanes
    let channels = dense.rowCount
    if let precision = dense.linearWeights {
      let linear = packLinear(
        name, precision, dense.tensors, rows: rows, columns: columns, rowLength: dense.rowLength,
        channels: channels)
      return PackedProduct(values: linear.floats(lanes: lanes), bias: linear.bias)
    }
    let hasHalfBlock = program.hasHalfBlock(dense)
    lazy var affine = weights.affine(dense.tensors, channels: channels)
    func makeWeights() -> [Float] {
      WeightPacking.dense(
        weights.weight(dense.tensors), rowLength: dense.rowLength, outputs: rows, inputs: columns,
        scale: affine.scale, lanes: lanes, hasHalfBlock: hasHalfBlock)
    }
    func makeBias() -> [Float] {
      WeightPacking.bias(affine.shift, outputs: rows, lanes: lanes)
    }
    func takeBias() -> PackedValues {
      source.take(name, "dense bias", lanes: lanes, count: blocks * lanes, makeBias)
    }
    guard dense.precision == .float32 else {
      let input = inputQuantization(dense, step)
      if dense.gate == nil {
        return takeGroups(
          name, "dense", dense.precision, blocks: blocks, terms: columns.count, input: input,
          weights: makeWeights, bias: makeBias)
      }
      let gated = takeGated(
        name, dense.precision, blocks: blocks, terms: columns.count, input: input,
        weights: makeWeights)
      return PackedProduct(groups: gated.groups, scale: gated.scale, bias: takeBias())
    }
    let values = source.take(
      name, hasHalfBlock ? "dense, half a block at the end" : "dense", lanes: lanes,
      count: (blocks * lanes - (hasHalfBlock ? lanes / 2 : 0)) * columns.count, makeWeights)
    return PackedProduct(values: values, bias: takeBias())
  }

  /// How what a dense step multiplies is quantised.
  private func inputQuantization(_ dense: DenseStep, _ step: Step) -> Quantization {
    switch dense.source {
    case .value(let id): quantization(program[id].element.range)
    case .planes, .windows: quantization(step.range("input"))
    }
  }
}
