// SPDX-License-Identifier: Apache-2.0
import MUXWeights

/// The weight [C′, C / groups, …] and the bias [C′] of a convolution or a linear layer.
struct Kernel {
  var shape: [Int]
  var weight: [Float]
  var bias: [Float]?

  /// Whether all numbers are finite.
  var isFinite: Bool {
    weight.allSatisfy({ $0.isFinite }) && bias?.allSatisfy({ $0.isFinite }) ?? true
  }

  private var rows: Int { shape[0] }
  private var rowLength: Int { shape.dropFirst().reduce(1, *) }

  /// Lets a batch norm follow: `channel` gives the norm's channel for a row.
  mutating func fold(_ affine: Affine<Double>, channel: (Int) -> Int) {
    let length = rowLength
    var shifts = [Float](repeating: 0, count: rows)
    for row in 0..<rows {
      let scale = affine.scale[channel(row)]
      for index in row * length..<(row + 1) * length {
        weight[index] = Float(Double(weight[index]) * scale)
      }
      shifts[row] = Float(Double(bias?[row] ?? 0) * scale + affine.shift[channel(row)])
    }
    bias = shifts
  }

  /// Puts row `sources[i]` to place i.
  mutating func arrangeRows(_ sources: [Int]) {
    let length = rowLength
    weight = sources.flatMap { weight[$0 * length..<($0 + 1) * length] }
    bias = bias.map { bias in sources.map { bias[$0] } }
  }

  /// Puts input channel `sources[i]` to place i in each row.
  mutating func arrangeColumns(_ sources: [Int]) {
    let columns = shape[1]
    let taps = shape.dropFirst(2).reduce(1, *)
    var arranged: [Float] = []
    arranged.reserveCapacity(weight.count)
    for row in 0..<rows {
      for source in sources {
        let start = (row * columns + source) * taps
        arranged += weight[start..<start + taps]
      }
    }
    weight = arranged
  }
}
