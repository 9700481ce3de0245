// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels

/// The order of the channels of a spatial step, and the units that it falls into.
///
/// Group partners stand in blocks side by side, lane by lane, so that a convolution of group
/// width g is the sum of g depthwise ones; the phases of a superpixel branch likewise.
struct SpatialLayout {
  struct Unit {
    var description: mux_spatial_unit
    var weights: [Float]
    var bias: [Float]
  }

  let lanes: Int
  /// The channel of each lane, −1 for none.
  private(set) var inputs: [Int] = []
  private(set) var outputs: [Int] = []
  private(set) var units: [Unit] = []

  init(lanes: Int) {
    self.lanes = lanes
  }

  /// Adds a branch; `affine` (over the step's outputs) is folded into its weights.
  mutating func add(_ branch: PlanCompiler.SpatialBranch, affine: Affine) {
    switch branch.mode {
    case MUX_SPATIAL_SUBPIXEL: addSubpixel(branch, affine)
    case MUX_SPATIAL_SUPERPIXEL: addSuperpixel(branch, affine)
    default: addPlain(branch, affine)
    }
  }

  private mutating func addPlain(_ branch: PlanCompiler.SpatialBranch, _ affine: Affine) {
    let convolution = branch.convolution
    let groups = convolution.groups
    let inner = convolution.inputChannels / groups, outer = convolution.outputChannels / groups
    let taps = convolution.kernelSize * convolution.kernelSize
    for first in stride(from: 0, to: groups, by: lanes) {
      let used = min(lanes, groups - first)
      var weights = Array(repeating: Float(0), count: outer * inner * taps * lanes)
      var bias = Array(repeating: Float(0), count: outer * lanes)
      for lane in 0..<used {
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

  private mutating func addSubpixel(_ branch: PlanCompiler.SpatialBranch, _ affine: Affine) {
    let window = branch.window
    let channels = branch.convolution.inputChannels / window
    let taps = branch.convolution.kernelSize * branch.convolution.kernelSize
    for first in stride(from: 0, to: channels, by: lanes) {
      let used = min(lanes, channels - first)
      var weights = Array(repeating: Float(0), count: window * taps * lanes)
      var bias = Array(repeating: Float(0), count: window * lanes)
      for phase in 0..<window {
        for lane in 0..<used {
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

  private mutating func addSuperpixel(_ branch: PlanCompiler.SpatialBranch, _ affine: Affine) {
    let window = branch.window
    let channels = branch.convolution.inputChannels
    let taps = branch.convolution.kernelSize * branch.convolution.kernelSize
    for first in stride(from: 0, to: channels, by: lanes) {
      let used = min(lanes, channels - first)
      var weights = Array(repeating: Float(0), count: window * taps * lanes)
      var bias = Array(repeating: Float(0), count: window * lanes)
      for phase in 0..<window {
        for lane in 0..<used {
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
    unit.padding = Int32(branch.convolution.padding)
    unit.factor = Int32(branch.factor)
    units.append(Unit(description: unit, weights: weights, bias: bias))
  }
}

/// How a spatial step is cut into tasks, and how many rows are expanded at a time.
struct SpatialTiling {
  var unitsPerTask: Int
  var rowsPerTask: Int
  var chunk: Int

  init(
    layout: SpatialLayout, inputChannels: Int, inputHeight: Int, inputWidth: Int,
    outputHeight: Int, lanes: Int
  ) {
    let inputBytes = inputChannels * inputHeight * inputWidth * 4
    if inputBytes > 256 << 10 {
      // The input does not stay near: go through it once, all units row by row.
      unitsPerTask = layout.units.count
      rowsPerTask = max(1, (outputHeight + 7) / 8)
      chunk = max(1, (55 + inputWidth) / inputWidth)
    } else {
      unitsPerTask = 1
      rowsPerTask = outputHeight
      let planeBytes = inputHeight * inputWidth * lanes * 4
      chunk = planeBytes <= 24 << 10 ? inputHeight : max(1, (111 + inputWidth) / inputWidth)
    }
  }
}
