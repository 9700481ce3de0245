// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import MUXNetworks

/// A tensor whose range is measured: where the plan leaves its least and greatest value.
struct Observation {
  var key: String
  var storage: Int
  var offset: Int
}

extension PlanCompiler {
  /// Whether a spatial step multiplies cells: plain branches without dilation. Multiplexed ones only
  /// with 8 bits (cells of two values save less than making them costs), and superpixel branches
  /// only if a block can hold all their phases.
  func usesCells(_ branches: [SpatialBranch], _ producer: SpatialProducer) -> Bool {
    // What measures ranges for 8 bits has the steps of 8 bits.
    let gains = precision == .int8 || isObserving
    return precision != .float32 && (producer.window?.dilation ?? 1) == 1
      && branches.allSatisfy { branch in
        guard branch.convolution.dilation == 1 else { return false }
        return switch branch.mode {
        case MUX_SPATIAL_PLAIN: true
        case MUX_SPATIAL_SUPERPIXEL: gains && SpatialLayout.canBeNarrow(branch)
        default: gains
        }
      }
  }

  /// How the tensor of a layer is quantised.
  func quantization(_ layer: String, _ tensor: String) throws(RuntimeError) -> Quantization {
    guard precision == .int8 else { return .none }
    guard let range = calibration?.ranges["\(layer)/\(tensor)"] else {
      throw .calibration(layer: "\(layer)/\(tensor)")
    }
    return Quantization(range)
  }

  /// A storage for the least and the greatest values of a layer's tensors, if they are measured.
  mutating func observe(_ layer: String, _ tensors: [String]) -> Int? {
    guard isObserving else { return nil }
    let storage = allocate(2 * tensors.count)
    // Nothing else may lie there.
    storages[storage].firstStep = 0
    storages[storage].lastStep = .max
    for (index, tensor) in tensors.enumerated() {
      observations.append(
        Observation(key: "\(layer)/\(tensor)", storage: storage, offset: 2 * index))
    }
    return storage
  }

  /// Cells of planes; gives the cells' planes. If nobody else reads what a projection gives, it
  /// writes the cells itself; else a step is added that makes them.
  ///
  /// - Parameter node: The node whose value the planes are, if that is known.
  mutating func addPack(
    _ layer: String, _ planes: [Plane], pixels: Int, of node: Int? = nil
  ) throws(RuntimeError) -> (planes: [Plane], quantization: Quantization) {
    let quantization = try quantization(layer, "input")
    if let node, let storage = wantedProjection(of: node, hasCells: true)?.storage {
      let values = precision.valuesPerCell
      let cells = (planes.count + values - 1) / values
      storages[storage].size = cells * pixels
      packedProjections[storage] = quantization
      return ((0..<cells).map { Plane(storage: storage, offset: $0 * pixels) }, quantization)
    }
    let observed = observe(layer, ["input"])
    let values = precision.valuesPerCell
    let cells = (planes.count + values - 1) / values
    let output = allocate(cells * pixels)
    let tasks = taskCount(work: planes.count * pixels, atMost: cells)
    let precision = precision
    addStep(layer, "pack", touching: planes.map(\.storage) + [output]) { emitter in
      var step = mux_pack()
      step.precision = precision.kernels
      step.planes = planes.count
      step.pixels = pixels
      step.inputs = emitter.offsets(planes)
      step.output = emitter.offset(output)
      step.quantization = quantization.kernels
      step.observed = observed.map { emitter.offset($0) } ?? -1
      step.tasks = Int32(tasks)
      return emitter.step(MUX_STEP_PACK, step)
    }
    return ((0..<cells).map { Plane(storage: output, offset: $0 * pixels) }, quantization)
  }

  /// The columns of windows' weights, whose rows are filled up to whole cells with −1.
  func windowColumns(_ convolution: Convolution) -> [Int] {
    let kernel = convolution.kernelSize, values = precision.valuesPerCell
    let padded = (kernel + values - 1) / values * values
    return (0..<convolution.inputChannels * kernel).flatMap { row in
      (0..<padded).map { $0 < kernel ? row * kernel + $0 : -1 }
    }
  }

  /// Offsets in bytes of the cells of the first window in the gathered rows.
  static func cellOffsets(
    _ convolution: Convolution, outputWidth: Int, precision: Precision
  ) -> [Int32] {
    let kernel = convolution.kernelSize, values = precision.valuesPerCell
    let length = (outputWidth - 1) * convolution.stride + kernel
    let pitch = ((length + 4) * precision.valueSize + 3) / 4 * 4
    return (0..<convolution.inputChannels * kernel).flatMap { row in
      (0..<(kernel + values - 1) / values).map { Int32(row * pitch + $0 * 4) }
    }
  }

  /// Weights of cells, made a moment ago or lying in a file.
  struct PackedCells {
    var cells: PackedArray<Int32>
    /// What a product of integers is worth, by output; empty for bfloat16.
    var scale: PackedValues
    /// With the input's zero in it.
    var bias: PackedValues
  }

  /// Packs weights [block][term][lane] as cells, and notes what is lost.
  func pack(
    _ layer: String, _ use: String, _ weights: [Float], blocks: Int, taps: Int = 1
  ) -> CellPacking {
    let packing = CellPacking(
      weights, blocks: blocks, lanes: lanes, precision: precision, taps: taps)
    if packing.isFinite {
      packed.noteVanished(layer, use, channels: packing.vanished)
    } else {
      packed.noteOverflow(layer, use)
    }
    return packing
  }

  /// The next packed weights, as cells.
  ///
  /// - Parameters:
  ///   - layer: The layer's name.
  ///   - use: What they are to the layer.
  ///   - blocks: Blocks of outputs.
  ///   - terms: Values that are multiplied and added up for an output, whole cells of them.
  ///   - taps: The values of a cell are this many terms apart.
  ///   - input: How what they are multiplied with is quantised.
  ///   - weights: Makes the weights in single precision, [block][term][lane].
  ///   - bias: Makes the bias, [block][lane].
  func takeCells(
    _ layer: String, _ use: String, blocks: Int, terms: Int, taps: Int = 1, input: Quantization,
    weights: () -> [Float], bias: () -> [Float]
  ) -> PackedCells {
    let precision = precision, lanes = lanes
    var made: (cells: [Int32], scale: [Float], bias: [Float])?
    func pack() -> (cells: [Int32], scale: [Float], bias: [Float]) {
      if let made { return made }
      let packing = self.pack(layer, use, weights(), blocks: blocks, taps: taps)
      let adjusted = packing.adjusted(bias: bias(), input: input)
      packed.noteVanished(layer, use, channels: adjusted.scale.count { $0 == 0 })
      let result = (packing.cells, adjusted.scale, adjusted.bias)
      made = result
      return result
    }
    let use = "\(use), cells of \(precision.rawValue)"
    let cells = packed.take(
      layer, use, lanes: lanes, count: blocks * lanes * terms / precision.valuesPerCell
    ) { pack().cells }
    let scale: PackedValues =
      precision == .int8
      ? packed.take(layer, "\(use), scale", lanes: lanes, count: blocks * lanes) { pack().scale }
      : .made([])
    let shift = packed.take(layer, "\(use), bias", lanes: lanes, count: blocks * lanes) {
      pack().bias
    }
    return PackedCells(cells: cells, scale: scale, bias: shift)
  }

  /// The next packed weights of a projection that a gate is multiplied into, without their bias, which
  /// depends on the gate. The kernel rounds the products once more.
  func takeGated(
    _ layer: String, blocks: Int, terms: Int, input: Quantization, weights: () -> [Float]
  ) -> (cells: PackedArray<Int32>, scale: PackedValues) {
    let precision = precision, lanes = lanes
    var made: CellPacking?
    func pack() -> CellPacking {
      let packing = made ?? self.pack(layer, "dense", weights(), blocks: blocks)
      made = packing
      return packing
    }
    let use = "dense, gated, cells of \(precision.rawValue)"
    let cells = packed.take(
      layer, use, lanes: lanes, count: blocks * lanes * terms / precision.valuesPerCell
    ) { pack().cells }
    let scale: PackedValues =
      precision == .int8
      ? packed.take(layer, "\(use), scale", lanes: lanes, count: blocks * lanes) {
        pack().scale.map { $0 * input.scale }
      }
      : .made([])
    return (cells, scale)
  }

  /// The units of a layout with weights of cells.
  func cellUnits(_ name: String, _ layout: SpatialLayout, middle: Quantization) -> [CellUnit] {
    let values = precision.valuesPerCell
    return layout.units.map { unit in
      let window = unit.windowSize, inner = Int(unit.description.in_count)
      let outer = unit.bias.count / lanes
      let rows = (window.rows + values - 1) / values * values
      // [out or phase][in][row][tap][lane] with rows of zeros first, then the last cell first.
      func ordered() -> [Float] {
        let rowSize = window.taps * lanes
        var ordered = Array(repeating: Float(0), count: outer * inner * rows * rowSize)
        for block in 0..<outer * inner {
          for row in 0..<window.rows {
            let padded = row + rows - window.rows
            let cell = rows / values - 1 - padded / values
            let to = ((block * rows) + cell * values + padded % values) * rowSize
            let from = (block * window.rows + row) * rowSize
            for i in 0..<rowSize { ordered[to + i] = unit.weights[from + i] }
          }
        }
        return ordered
      }
      let packed = takeCells(
        name, unit.use, blocks: outer, terms: inner * rows * window.taps, taps: window.taps,
        input: middle, weights: ordered, bias: { unit.bias })
      return CellUnit(description: unit.description, packed: packed)
    }
  }

  /// A unit of a spatial step with weights of cells.
  struct CellUnit {
    var description: mux_spatial_unit
    var packed: PackedCells
  }
}

extension PlanEmitter {
  /// Cells where the kernels' structures have floats.
  func cells(_ cells: PackedArray<Int32>) -> UnsafePointer<Float> {
    UnsafeRawPointer(memory.place(cells)).assumingMemoryBound(to: Float.self)
  }

  /// Where the values are, or NULL for nothing.
  func optional(_ values: PackedValues) -> UnsafePointer<Float>? {
    values.isEmpty ? nil : memory.place(values)
  }
}
