// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks

extension Program {
  /// The column of the weight that each input of a dense step is multiplied with, −1 for zeros: whole
  /// groups of them in reduced precision.
  func columns(of step: DenseStep) -> [Int] {
    let values = step.precision == .float32 ? 1 : step.precision.valuesPerGroup
    switch step.source {
    case .windows(_, let convolution) where step.precision != .float32:
      return convolution.windowColumns(values)
    case .value(let id):
      if case .blocked(let order, _) = self[id].format {
        return self[id].usedLanes.map { order[$0] }
      }
      return Self.padded(step.rowLength, to: values)
    case .planes, .windows: return Self.padded(step.rowLength, to: values)
    }
  }

  /// The column of the weight that each input of an expansion is multiplied with, −1 for zeros.
  func columns(of expansion: Expansion, _ precision: Precision) -> [Int] {
    let values = precision == .float32 ? 1 : precision.valuesPerGroup
    if let window = expansion.window, precision != .float32 { return window.windowColumns(values) }
    return Self.padded(expansion.convolution.weightShape[1...].reduce(1, *), to: values)
  }

  /// The rows of the weight that a fully connected layer computes, and its columns; −1 for zeros.
  func rowsAndColumns(of step: LinearStep) -> (rows: [Int], columns: [Int]) {
    var columns = Array(0..<inputs(of: step))
    if case .value(let id) = step.input, case .sums(let blocked, _) = self[id].format {
      columns = self[blocked].order
    }
    guard case .gate(let id) = self[step.output].format else {
      return (Array(0..<self[step.output].channels), columns)
    }
    let blocked = self[id]
    let read = blocked.usedLanes.map { blocked.order[$0] }
    // A lane without a channel gets some channel's gate (its weights are zeros), so that it cannot be
    // the greatest one.
    let any = read.first { $0 >= 0 } ?? 0
    return (read.map { $0 < 0 ? any : $0 }, columns)
  }

  /// Whether the last block of a dense step is half as wide.
  func hasHalfBlock(_ step: DenseStep) -> Bool {
    let lanes = target.lanes, rest = step.rows.count % lanes
    return lanes == 16 && rest != 0 && rest <= lanes / 2 && step.precision == .float32
      && step.linearWeights == nil
  }

  /// Multiply-adds of the convolutions and linear layers of a step.
  func multiplyAdds(of step: Step) -> Int {
    switch step.operation {
    case .dense(let step): return step.rowLength * step.rows.count * step.pixels
    case .linear(let step): return inputs(of: step) * outputs(of: step)
    case .spatial(let step):
      let output = self[step.output]
      var count = step.branches.reduce(0) {
        $0 + $1.multiplyAdds(height: output.height, width: output.width)
      }
      if let convolution = step.expansion?.convolution {
        count +=
          convolution.weightShape.reduce(1, *) * step.expanded.height * step.expanded.width
      }
      return count
    case .elementwise, .planes, .l2Normalization, .unblock, .pack: return 0
    }
  }

  private static func padded(_ count: Int, to multiple: Int) -> [Int] {
    (0..<(count + multiple - 1) / multiple * multiple).map { $0 < count ? $0 : -1 }
  }
}

extension Convolution {
  /// Whether products of groups of one tap of several channels are fewer than those of groups of several
  /// taps of a channel, as packed files have them. With longer strides the rows of groups, which hold all
  /// columns between, would take more than they give.
  func joinsChannels(_ precision: Precision) -> Bool {
    guard precision != .float32, stride <= 2 else { return false }
    let values = precision.valuesPerGroup
    let joined = (inputChannels + values - 1) / values * kernelSize
    return joined < inputChannels * ((kernelSize + values - 1) / values)
  }

  /// The columns of windows' weights, whose rows are filled up to whole groups with −1.
  fileprivate func windowColumns(_ values: Int) -> [Int] {
    let padded = (kernelSize + values - 1) / values * values
    return (0..<inputChannels * kernelSize).flatMap { row in
      (0..<padded).map { $0 < kernelSize ? row * kernelSize + $0 : -1 }
    }
  }
}
