// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import MUXWeights

/// The order of the channels of a spatial step, and the units that it falls into.
///
/// Group partners stand in blocks side by side, lane by lane, so that a convolution of group
/// width g is the sum of g depthwise ones; the phases of a superpixel branch likewise.
struct SpatialLayout {
  struct Unit {
    var description: mux_spatial_unit
    var weights: [Float]
    var bias: [Float]

    /// Names the order of the weights in memory.
    var use: String {
      "spatial \(description.mode.rawValue), \(description.kernel)×\(description.kernel),"
        + " \(description.in_count) to \(description.out_count)"
    }

    /// Rows of the weights, and taps of each: the kernel's, or those of the windows of all phases.
    var windowSize: (rows: Int, taps: Int) {
      let kernel = Int(description.kernel)
      return description.mode == MUX_SPATIAL_SUPERPIXEL_NARROW
        ? (kernel + 1, SpatialLayout.narrowColumns(kernel: kernel)) : (kernel, kernel)
    }
  }

  let lanes: Int
  /// The channel of each lane, −1 for none.
  private(set) var inputs: [Int] = []
  private(set) var outputs: [Int] = []
  private(set) var units: [Unit] = []

  /// Whether each superpixel branch that can has all phases in a block: products of cells have no
  /// other way.
  private let isAlwaysNarrow: Bool

  init(lanes: Int, isAlwaysNarrow: Bool = false) {
    self.lanes = lanes
    self.isAlwaysNarrow = isAlwaysNarrow
  }

  /// Adds a branch; `affine` (over the step's outputs) is folded into its weights.
  mutating func add(_ branch: PlanCompiler.SpatialBranch, affine: Affine<Float>) {
    switch branch.mode {
    case MUX_SPATIAL_SUBPIXEL: addSubpixel(branch, affine)
    case MUX_SPATIAL_SUPERPIXEL:
      if isNarrow(branch) { addNarrow(branch, affine) } else { addSuperpixel(branch, affine) }
    default: addPlain(branch, affine)
    }
  }

  private mutating func addPlain(_ branch: PlanCompiler.SpatialBranch, _ affine: Affine<Float>) {
    let convolution = branch.convolution
    let groups = convolution.groups
    let inner = convolution.inputChannels / groups, outer = convolution.outputChannels / groups
    let taps = convolution.kernelSize * convolution.kernelSize
    for first in stride(from: 0, to: groups, by: lanes) {
      let used = min(lanes, groups - first)
      var weights = Array(repeating: Float(0), count: outer * inner * taps * lanes)
      var bias = Array(repeating: Float(0), count: outer * lanes)
      for lane in branch.lanesToFill(used) {
        for o in 0..<outer {
          let own = (first + lane) * outer + o
          let channel = branch.firstOutput + own
          let scale = affine.scale[channel]
          for rest in 0..<inner * taps {
            weights[(o * inner * taps + rest) * lanes + lane] =
              branch.weight[own * inner * taps + rest] * scale
          }
          bias[o * lanes + lane] =
            affine.shift[channel] + (branch.bias.isEmpty ? 0 : branch.bias[own] * scale)
        }
      }
      addUnit(branch, inCount: inner, outCount: outer, weights, bias)
      for j in 0..<inner {
        inputs += (0..<lanes).map {
          $0 < used ? branch.firstInput + (first + $0) * inner + j : -1
        }
      }
      for o in 0..<outer {
        outputs += (0..<lanes).map {
          $0 < used ? branch.firstOutput + (first + $0) * outer + o : -1
        }
      }
    }
  }

  private mutating func addSubpixel(_ branch: PlanCompiler.SpatialBranch, _ affine: Affine<Float>) {
    let window = branch.window
    let channels = branch.convolution.inputChannels / window
    let taps = branch.convolution.kernelSize * branch.convolution.kernelSize
    for first in stride(from: 0, to: channels, by: lanes) {
      let used = min(lanes, channels - first)
      var weights = Array(repeating: Float(0), count: window * taps * lanes)
      var bias = Array(repeating: Float(0), count: window * lanes)
      for phase in 0..<window {
        for lane in branch.lanesToFill(used) {
          let own = phase * channels + first + lane
          let channel = branch.firstOutput + first + lane
          let scale = affine.scale[channel]
          for tap in 0..<taps {
            weights[(phase * taps + tap) * lanes + lane] = branch.weight[own * taps + tap] * scale
          }
          bias[phase * lanes + lane] =
            affine.shift[channel] + (branch.bias.isEmpty ? 0 : branch.bias[own] * scale)
        }
      }
      addUnit(branch, inCount: 1, outCount: 1, weights, bias)
      inputs += (0..<lanes).map { $0 < used ? branch.firstInput + first + $0 : -1 }
      outputs += (0..<lanes).map { $0 < used ? branch.firstOutput + first + $0 : -1 }
    }
  }

  private mutating func addSuperpixel(_ branch: PlanCompiler.SpatialBranch, _ affine: Affine<Float>)
  {
    let window = branch.window
    let channels = branch.convolution.inputChannels
    let taps = branch.convolution.kernelSize * branch.convolution.kernelSize
    for first in stride(from: 0, to: channels, by: lanes) {
      let used = min(lanes, channels - first)
      var weights = Array(repeating: Float(0), count: window * taps * lanes)
      var bias = Array(repeating: Float(0), count: window * lanes)
      for phase in 0..<window {
        for lane in branch.lanesToFill(used) {
          let own = first + lane
          let channel = branch.firstOutput + phase * channels + own
          let scale = affine.scale[channel]
          for tap in 0..<taps {
            weights[(phase * taps + tap) * lanes + lane] = branch.weight[own * taps + tap] * scale
          }
          bias[phase * lanes + lane] =
            affine.shift[channel] + (branch.bias.isEmpty ? 0 : branch.bias[own] * scale)
        }
      }
      addUnit(branch, inCount: window, outCount: window, weights, bias)
      for phase in 0..<window {
        let offset = phase * channels + first
        inputs += (0..<lanes).map { $0 < used ? branch.firstInput + offset + $0 : -1 }
        outputs += (0..<lanes).map { $0 < used ? branch.firstOutput + offset + $0 : -1 }
      }
    }
  }

  /// Whether blocks that hold all phases take less work than blocks of one phase each, many of
  /// whose lanes may be empty. (A narrow one goes over the windows of all phases.)
  private func isNarrow(_ branch: PlanCompiler.SpatialBranch) -> Bool {
    guard Self.canBeNarrow(branch) else { return false }
    if isAlwaysNarrow { return true }
    let kernel = branch.convolution.kernelSize, channels = branch.convolution.inputChannels
    let quarter = lanes / 4
    // An expansion is worth some 32 multiply-adds of a lane.
    let narrow = (channels + quarter - 1) / quarter * ((kernel + 1) * (kernel + 1) + 32)
    let wide = (channels + lanes - 1) / lanes * 4 * (kernel * kernel + 32)
    return narrow < wide
  }

  /// Whether the kernels have a way for blocks that hold all phases of the branch.
  static func canBeNarrow(_ branch: PlanCompiler.SpatialBranch) -> Bool {
    let convolution = branch.convolution, kernel = convolution.kernelSize
    return branch.factor == 2 && [3, 5, 7].contains(kernel) && convolution.dilation == 1
      && convolution.stride == 1 && convolution.keepsGrid
  }

  /// Fine columns under the windows of all phases, from an even one to an odd one.
  static func narrowColumns(kernel: Int) -> Int { 4 * ((kernel / 2 + 1) / 2) + 2 }

  private mutating func addNarrow(_ branch: PlanCompiler.SpatialBranch, _ affine: Affine<Float>) {
    let channels = branch.convolution.inputChannels, kernel = branch.convolution.kernelSize
    let quarter = lanes / 4, around = (kernel / 2 + 1) / 2
    let columns = Self.narrowColumns(kernel: kernel)
    for first in stride(from: 0, to: channels, by: quarter) {
      let used = min(quarter, channels - first)
      var weights = Array(repeating: Float(0), count: (kernel + 1) * columns * lanes)
      var bias = Array(repeating: Float(0), count: lanes)
      for phase in 0..<4 {
        for own in first..<first + branch.lanesToFill(used).count {
          let lane = phase * quarter + own - first
          let channel = branch.firstOutput + phase * channels + own
          let scale = affine.scale[channel]
          for row in 0..<kernel {
            for column in 0..<kernel {
              let fineRow = row + phase / 2
              let fineColumn = column + phase % 2 - kernel / 2 + 2 * around
              weights[(fineRow * columns + fineColumn) * lanes + lane] =
                branch.weight[(own * kernel + row) * kernel + column] * scale
            }
          }
          bias[lane] = affine.shift[channel] + (branch.bias.isEmpty ? 0 : branch.bias[own] * scale)
        }
      }
      addUnit(branch, inCount: 1, outCount: 1, weights, bias)
      units[units.count - 1].description.mode = MUX_SPATIAL_SUPERPIXEL_NARROW
      for phase in 0..<4 {
        let offset = phase * channels + first
        inputs += (0..<quarter).map { $0 < used ? branch.firstInput + offset + $0 : -1 }
        outputs += (0..<quarter).map { $0 < used ? branch.firstOutput + offset + $0 : -1 }
      }
    }
  }

  private mutating func addUnit(
    _ branch: PlanCompiler.SpatialBranch, inCount: Int, outCount: Int, _ weights: [Float],
    _ bias: [Float]
  ) {
    var unit = mux_spatial_unit()
    unit.mode = branch.mode
    unit.first_in = Int32(inputs.count / lanes)
    unit.in_count = Int32(inCount)
    unit.first_out = Int32(outputs.count / lanes)
    unit.out_count = Int32(outCount)
    unit.kernel = Int32(branch.convolution.kernelSize)
    unit.stride = Int32(branch.convolution.stride)
    unit.dilation = Int32(branch.convolution.dilation)
    unit.top = Int32(branch.zeros.height)
    unit.left = Int32(branch.zeros.width)
    unit.factor = Int32(branch.factor)
    units.append(Unit(description: unit, weights: weights, bias: bias))
  }
}

/// How a spatial step is cut into tasks, and how many rows are expanded at a time.
struct SpatialTiling {
  var unitsPerTask: Int
  var rowsPerTask: Int
  var chunk: Int

  /// `gathersWindows` says that the rows under windows are gathered, once for all units.
  init(
    layout: SpatialLayout, inputChannels: Int, inputHeight: Int, inputWidth: Int,
    outputHeight: Int, lanes: Int, gathersWindows: Bool
  ) {
    let inputBytes = inputChannels * inputHeight * inputWidth * 4
    if inputBytes > 256 << 10 || gathersWindows {
      // The input does not stay near: go through it once, all units row by row.
      unitsPerTask = layout.units.count
      rowsPerTask = max(1, (outputHeight + 7) / 8)
      chunk = max(1, (55 + inputWidth) / inputWidth)
    } else {
      // Two blocks are expanded in less time than twice one.
      unitsPerTask = layout.units.allSatisfy { $0.description.in_count % 2 == 0 } ? 1 : 2
      rowsPerTask = outputHeight
      let planeBytes = inputHeight * inputWidth * lanes * 4
      chunk = planeBytes <= 24 << 10 ? inputHeight : max(1, (111 + inputWidth) / inputWidth)
    }
  }
}
