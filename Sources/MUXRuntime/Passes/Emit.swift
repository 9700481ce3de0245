// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import MUXNetworks

/// The last pass: the structures of the kernels, with addresses in place of values.
struct Emission {
  let program: Program
  let placement: Placement
  let quantizations: [String: Quantization]
  let memory: PlanMemory

  var lanes: Int { program.target.lanes }

  /// The steps of a program whose values are placed and whose weights are packed.
  static func emit(
    _ program: Program, _ placement: Placement, _ packed: [PackedStep],
    quantizations: [String: Quantization], memory: PlanMemory
  ) -> [mux_step] {
    let emission = Emission(
      program: program, placement: placement, quantizations: quantizations, memory: memory)
    return zip(program.steps, packed).map { emission.emit($0, $1) }
  }

  private func emit(_ step: Step, _ packed: PackedStep) -> mux_step {
    switch step.operation {
    case .spatial(let spatial): emit(spatial, step, packed)
    case .dense(let dense): emit(dense, step, packed)
    case .linear(let linear): emit(linear, packed)
    case .elementwise(let elementwise): emit(elementwise, packed)
    case .planes(let planes): emit(planes)
    case .l2Normalization(let norm): emit(norm, packed)
    case .unblock(let unblock): emit(unblock)
    case .pack(let pack): emit(pack)
    }
  }

  // MARK: Addresses

  /// Where a value begins; its owner's start where it lies over another one.
  func offset(_ id: ValueID) -> Int {
    switch program[id].residence {
    case .own: placement[id]
    case .overValue(let owner): placement[owner]
    case .over(let channels): placement[program.plane(channels[0])]
    }
  }

  /// Where an optional value begins, −1 for none.
  func offset(_ id: ValueID?) -> Int { id.map { offset($0) } ?? -1 }

  func offset(_ channel: Channel) -> Int32 { Int32(placement[program.plane(channel)]) }

  func offsets(_ planes: Planes) -> UnsafePointer<Int32> {
    memory.copy(planes.channels.map(offset))
  }

  /// Where the planes of a value begin: those of its channels, or of its groups.
  func offsets(_ id: ValueID) -> UnsafePointer<Int32> {
    let value = program[id]
    guard case .groups = value.format else { return offsets(program.planes(id)) }
    let start = offset(id)
    return memory.copy((0..<value.planes).map { Int32(start + $0 * value.pixels) })
  }

  /// Where the lanes of a blocked value's channels begin, the first pixel of each.
  func laneOffsets(_ id: ValueID) -> UnsafePointer<Int32> {
    let value = program[id], start = offset(id)
    return memory.copy(
      (0..<value.channels).map {
        Int32(start + $0 / lanes * lanes * value.pixels + $0 % lanes)
      })
  }

  func quantization(_ key: String) -> mux_quantization {
    (quantizations[key] ?? .none).kernels
  }

  /// Groups where the kernels' structures have floats.
  func groups(_ groups: PackedArray<Int32>) -> UnsafePointer<Float> {
    UnsafeRawPointer(memory.place(groups)).assumingMemoryBound(to: Float.self)
  }

  /// The weights of a product, whatever they are.
  func weights(_ product: PackedProduct) -> UnsafePointer<Float> {
    product.groups.map { groups($0) } ?? memory.place(product.values)
  }

  /// Where the values are, or NULL for nothing.
  func optional(_ values: PackedValues) -> UnsafePointer<Float>? {
    values.isEmpty ? nil : memory.place(values)
  }

  func step(_ kind: mux_step_kind, _ argument: some BitwiseCopyable) -> mux_step {
    mux_step(kind: kind, argument: memory.copy(argument))
  }

  /// Enough tasks for some threads, none too small to be worth a hand-over.
  func taskCount(work: Int, atMost limit: Int) -> Int32 {
    Int32(max(1, min(16, limit, work / 30_000)))
  }

  // MARK: Windows

  /// The windows of a convolution over planes, all of which may be gathered.
  func window(_ convolution: Convolution, _ input: Planes, _ output: ImageSize) -> mux_window {
    mux_window(
      kernel: Int32(convolution.kernelSize), stride: Int32(convolution.stride),
      top: Int32(convolution.zeros(around: input.height).before),
      left: Int32(convolution.zeros(around: input.width).before),
      dilation: Int32(convolution.dilation),
      in_height: input.height, in_width: input.width, out_height: output.height,
      out_width: output.width, inputs: offsets(input), input_count: input.count, taps: nil)
  }

  /// Where the taps of a window over the first pixels lie, for windows that are read from the planes.
  /// (A tap that no window inside the image has may be beyond every number.)
  func planeTaps(_ convolution: Convolution, _ input: Planes) -> UnsafePointer<Int32> {
    let kernel = convolution.kernelSize
    return memory.copy(
      input.channels.flatMap { channel in
        (0..<kernel * kernel).map { tap in
          Int32(
            clamping: Int(offset(channel))
              + (tap / kernel * input.width + tap % kernel) * convolution.dilation)
        }
      })
  }

  /// Where in the gathered rows each tap of the first window lies.
  func tapOffsets(_ window: mux_window) -> UnsafePointer<Int32> {
    let kernel = Int(window.kernel), dilation = Int(window.dilation)
    let length = (window.out_width - 1) * Int(window.stride) + (kernel - 1) * dilation + 1
    return memory.copy(
      (0..<window.input_count * kernel).flatMap { row in
        (0..<kernel).map { Int32(row * length + $0 * dilation) }
      })
  }

  /// Where in the gathered rows the groups of the first window lie, in bytes.
  static func groupOffsets(
    _ convolution: Convolution, outputWidth: Int, precision: Precision
  ) -> [Int32] {
    let kernel = convolution.kernelSize, values = precision.valuesPerGroup
    let length = (outputWidth - 1) * convolution.stride + kernel
    let pitch = ((length + 4) * precision.valueSize + 3) / 4 * 4
    return (0..<convolution.inputChannels * kernel).flatMap { row in
      (0..<(kernel + values - 1) / values).map { Int32(row * pitch + $0 * 4) }
    }
  }
}
