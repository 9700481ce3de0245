// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks

/// The order of the channels of a spatial step, and the units that it falls into.
///
/// Group partners stand in blocks side by side, lane by lane, so that a convolution of group
/// width g is the sum of g depthwise ones; the phases of a superpixel branch likewise.
struct SpatialLayout: Hashable, Sendable {
  /// What is convolved together: a block of channels with its group partners.
  struct Unit: Hashable, Sendable {
    /// Which of the step's branches.
    var branch: Int
    var mode: SpatialMode
    /// The first group of the branch (or channel, if it is multiplexed) and how many there are.
    var first: Int
    var used: Int
    var firstIn: Int
    var inCount: Int
    var firstOut: Int
    var outCount: Int
    var kernel: Int

    /// Names the order of the weights in memory.
    var use: String {
      "spatial \(mode.rawValue), \(kernel)×\(kernel), \(inCount) to \(outCount)"
    }

    /// Rows of the weights, and taps of each: the kernel's, or those of the windows of all phases.
    var windowSize: (rows: Int, taps: Int) {
      mode == .narrowSuperpixel
        ? (kernel + 1, SpatialLayout.narrowColumns(kernel: kernel)) : (kernel, kernel)
    }
  }

  let lanes: Int
  /// The channel of each lane, −1 for none.
  private(set) var inputs: [Int] = []
  private(set) var outputs: [Int] = []
  private(set) var units: [Unit] = []

  /// The layout of branches. If it is always narrow, each superpixel branch that can has all phases in
  /// a block: products of VNNI groups have no other way.
  init(_ branches: [SpatialBranch], lanes: Int, isAlwaysNarrow: Bool) {
    self.lanes = lanes
    for (index, branch) in branches.enumerated() {
      switch branch.mode {
      case .subpixel: addSubpixel(branch, index)
      case .superpixel, .narrowSuperpixel:
        if isNarrow(branch, always: isAlwaysNarrow) {
          addNarrow(branch, index)
        } else {
          addSuperpixel(branch, index)
        }
      case .plain: addPlain(branch, index)
      }
    }
  }

  private mutating func addPlain(_ branch: SpatialBranch, _ index: Int) {
    let convolution = branch.convolution
    let groups = convolution.groups
    let inner = convolution.inputChannels / groups, outer = convolution.outputChannels / groups
    for first in stride(from: 0, to: groups, by: lanes) {
      let used = min(lanes, groups - first)
      addUnit(branch, index, .plain, first, used, inCount: inner, outCount: outer)
      for j in 0..<inner {
        inputs += Self.lanes(lanes, used) { branch.firstInput + (first + $0) * inner + j }
      }
      for o in 0..<outer {
        outputs += Self.lanes(lanes, used) { branch.firstOutput + (first + $0) * outer + o }
      }
    }
  }

  private mutating func addSubpixel(_ branch: SpatialBranch, _ index: Int) {
    let channels = branch.convolution.inputChannels / branch.window
    for first in stride(from: 0, to: channels, by: lanes) {
      let used = min(lanes, channels - first)
      addUnit(branch, index, .subpixel, first, used, inCount: 1, outCount: 1)
      inputs += Self.lanes(lanes, used) { branch.firstInput + first + $0 }
      outputs += Self.lanes(lanes, used) { branch.firstOutput + first + $0 }
    }
  }

  private mutating func addSuperpixel(_ branch: SpatialBranch, _ index: Int) {
    let window = branch.window, channels = branch.convolution.inputChannels
    for first in stride(from: 0, to: channels, by: lanes) {
      let used = min(lanes, channels - first)
      addUnit(branch, index, .superpixel, first, used, inCount: window, outCount: window)
      for phase in 0..<window {
        let offset = phase * channels + first
        inputs += Self.lanes(lanes, used) { branch.firstInput + offset + $0 }
        outputs += Self.lanes(lanes, used) { branch.firstOutput + offset + $0 }
      }
    }
  }

  private mutating func addNarrow(_ branch: SpatialBranch, _ index: Int) {
    let channels = branch.convolution.inputChannels, quarter = lanes / 4
    for first in stride(from: 0, to: channels, by: quarter) {
      let used = min(quarter, channels - first)
      addUnit(branch, index, .narrowSuperpixel, first, used, inCount: 1, outCount: 1)
      for phase in 0..<4 {
        let offset = phase * channels + first
        inputs += Self.lanes(quarter, used) { branch.firstInput + offset + $0 }
        outputs += Self.lanes(quarter, used) { branch.firstOutput + offset + $0 }
      }
    }
  }

  /// `count` lanes, of which the first `used` hold channels.
  private static func lanes(_ count: Int, _ used: Int, _ channel: (Int) -> Int) -> [Int] {
    (0..<count).map { $0 < used ? channel($0) : -1 }
  }

  private mutating func addUnit(
    _ branch: SpatialBranch, _ index: Int, _ mode: SpatialMode, _ first: Int, _ used: Int,
    inCount: Int, outCount: Int
  ) {
    units.append(
      Unit(
        branch: index, mode: mode, first: first, used: used, firstIn: inputs.count / lanes,
        inCount: inCount, firstOut: outputs.count / lanes, outCount: outCount,
        kernel: branch.convolution.kernelSize))
  }

  /// Whether blocks that hold all phases take less work than blocks of one phase each, many of
  /// whose lanes may be empty. (A narrow one goes over the windows of all phases.)
  private func isNarrow(_ branch: SpatialBranch, always: Bool) -> Bool {
    guard Self.canBeNarrow(branch) else { return false }
    if always { return true }
    let kernel = branch.convolution.kernelSize, channels = branch.convolution.inputChannels
    let quarter = lanes / 4
    // An expansion is worth some 32 multiply-adds of a lane.
    let narrow = (channels + quarter - 1) / quarter * ((kernel + 1) * (kernel + 1) + 32)
    let wide = (channels + lanes - 1) / lanes * 4 * (kernel * kernel + 32)
    return narrow < wide
  }

  /// Whether the kernels have a way for blocks that hold all phases of the branch.
  static func canBeNarrow(_ branch: SpatialBranch) -> Bool {
    let convolution = branch.convolution, kernel = convolution.kernelSize
    return branch.factor == 2 && [3, 5, 7].contains(kernel) && convolution.dilation == 1
      && convolution.stride == 1 && convolution.keepsGrid
  }

  /// Fine columns under the windows of all phases, from an even one to an odd one.
  static func narrowColumns(kernel: Int) -> Int { 4 * ((kernel / 2 + 1) / 2) + 2 }
}

/// How a spatial step is cut into tasks, and how many rows of its ring are expanded at a time.
struct SpatialTiling: Hashable, Sendable {
  var unitsPerTask: Int
  var rowsPerTask: Int
  var chunk: Int

  /// The tiling of a step whose output has so many rows. Where the expansion has windows, the rows under
  /// them are gathered once for all units.
  init(
    _ layout: SpatialLayout, input: Shape, expanded: ImageSize, outputHeight: Int,
    gathersWindows: Bool
  ) {
    let inputBytes = input.channels * expanded.height * expanded.width * 4
    if inputBytes > 256 << 10 || gathersWindows {
      // The input does not stay near: go through it once, all units row by row.
      unitsPerTask = layout.units.count
      rowsPerTask = max(1, (outputHeight + 7) / 8)
      chunk = max(1, (55 + expanded.width) / expanded.width)
    } else {
      // Two blocks are expanded in less time than twice one.
      unitsPerTask = layout.units.allSatisfy { $0.inCount % 2 == 0 } ? 1 : 2
      rowsPerTask = outputHeight
      let planeBytes = expanded.height * expanded.width * layout.lanes * 4
      chunk =
        planeBytes <= 24 << 10 ? expanded.height : max(1, (111 + expanded.width) / expanded.width)
    }
  }

  /// Bands of rows, each of which has sums of its own.
  func bands(outputHeight: Int) -> Int { (outputHeight + rowsPerTask - 1) / rowsPerTask }
}
