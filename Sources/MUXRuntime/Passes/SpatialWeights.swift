// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks
internal import MUXWeights

/// The weights of a spatial step's units in the order of the kernels, batch norms folded in.
struct SpatialWeights {
  private let step: SpatialStep
  private let affine: Affine<Float>
  /// Of each branch.
  private let weights: [[Float]]
  private let biases: [[Float]]

  private var lanes: Int { step.layout.lanes }

  init(_ step: SpatialStep, channels: Int, weights: LayerWeights) {
    self.step = step
    affine = weights.affine(step.norms, channels: channels)
    self.weights = step.branches.map { weights.weight($0.tensors) }
    biases = step.branches.map { weights.bias($0.tensors) }
  }

  /// How many weights and biases a unit has.
  static func counts(
    _ unit: SpatialLayout.Unit, _ step: SpatialStep
  ) -> (weights: Int, biases: Int) {
    let lanes = step.layout.lanes, window = unit.windowSize
    let taps = window.rows * window.taps * lanes
    let factor = step.branches[unit.branch].window
    return switch unit.mode {
    case .plain: (unit.outCount * unit.inCount * taps, unit.outCount * lanes)
    case .subpixel, .superpixel: (factor * taps, factor * lanes)
    case .narrowSuperpixel: (taps, lanes)
    }
  }

  // MARK: Channels

  /// A lane of a unit: which of the branch's channels it computes, and where that goes.
  private struct Output {
    /// Which of the unit's rows of lanes: outputs of a group, or phases.
    var row: Int
    var lane: Int
    /// The convolution's channel.
    var own: Int
    /// The step's channel.
    var channel: Int
  }

  private func outputs(of unit: SpatialLayout.Unit) -> [Output] {
    let branch = step.branches[unit.branch], convolution = branch.convolution
    let lanes = Array(0..<unit.used), first = unit.first
    switch unit.mode {
    case .plain:
      let outer = convolution.outputChannels / convolution.groups
      return lanes.flatMap { lane in
        (0..<outer).map { o in
          let own = (first + lane) * outer + o
          return Output(row: o, lane: lane, own: own, channel: branch.firstOutput + own)
        }
      }
    case .subpixel:
      let channels = convolution.inputChannels / branch.window
      return (0..<branch.window).flatMap { phase in
        lanes.map { lane in
          Output(
            row: phase, lane: lane, own: phase * channels + first + lane,
            channel: branch.firstOutput + first + lane)
        }
      }
    case .superpixel, .narrowSuperpixel:
      let isNarrow = unit.mode == .narrowSuperpixel
      let channels = convolution.inputChannels
      return (0..<branch.window).flatMap { phase in
        lanes.map { lane in
          Output(
            row: isNarrow ? 0 : phase,
            lane: isNarrow ? phase * (self.lanes / 4) + lane : lane, own: first + lane,
            channel: branch.firstOutput + phase * channels + first + lane)
        }
      }
    }
  }

  // MARK: Packing

  /// Plain: [out][in][row][tap][lane]; narrow: [fine row][fine column][lane] for the windows of all
  /// phases, from an even column to an odd one; else [phase][row][tap][lane].
  func weights(of unit: SpatialLayout.Unit) -> [Float] {
    let source = weights[unit.branch], kernel = unit.kernel
    var packed = Array(repeating: Float(0), count: Self.counts(unit, step).weights)
    let taps = kernel * kernel * (unit.mode == .plain ? unit.inCount : 1)
    let columns = unit.windowSize.taps
    for output in outputs(of: unit) {
      let scale = affine.scale[output.channel]
      if unit.mode == .narrowSuperpixel {
        let phase = output.lane / (lanes / 4), around = (kernel / 2 + 1) / 2
        let first = phase % 2 - kernel / 2 + 2 * around
        for row in 0..<kernel {
          for column in 0..<kernel {
            let to = (row + phase / 2) * columns + column + first
            packed[to * lanes + output.lane] =
              source[(output.own * kernel + row) * kernel + column] * scale
          }
        }
      } else {
        for tap in 0..<taps {
          packed[(output.row * taps + tap) * lanes + output.lane] =
            source[output.own * taps + tap] * scale
        }
      }
    }
    return packed
  }

  /// Plain, narrow and superpixel: [out][lane]; subpixel: [phase][lane].
  func bias(of unit: SpatialLayout.Unit) -> [Float] {
    let source = biases[unit.branch]
    var packed = Array(repeating: Float(0), count: Self.counts(unit, step).biases)
    for output in outputs(of: unit) {
      let bias = source.isEmpty ? 0 : source[output.own] * affine.scale[output.channel]
      packed[output.row * lanes + output.lane] = affine.shift[output.channel] + bias
    }
    return packed
  }

  /// The weights for groups of so many rows: [out or phase][in][row][tap][lane] with rows of zeros first,
  /// then the last group first.
  func grouped(_ unit: SpatialLayout.Unit, values: Int) -> [Float] {
    let window = unit.windowSize, weights = weights(of: unit)
    let rows = (window.rows + values - 1) / values * values
    let rowSize = window.taps * lanes
    let blocks = weights.count / window.rows / rowSize
    var ordered = Array(repeating: Float(0), count: blocks * rows * rowSize)
    for block in 0..<blocks {
      for row in 0..<window.rows {
        let padded = row + rows - window.rows
        let group = rows / values - 1 - padded / values
        let to = (block * rows + group * values + padded % values) * rowSize
        let from = (block * window.rows + row) * rowSize
        for i in 0..<rowSize { ordered[to + i] = weights[from + i] }
      }
    }
    return ordered
  }
}
