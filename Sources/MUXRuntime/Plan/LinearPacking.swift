// SPDX-License-Identifier: Apache-2.0

/// The weights of a fully connected layer, [block][input][lane], and its bias.
struct LinearPacking {
  /// Weights as cells of 8 bits.
  struct Cells {
    var cells: PackedArray<Int32>
    /// What 1 is worth, and the sum of the integers, by output.
    var scale: PackedValues
    var sums: PackedValues
  }

  enum Values {
    case float32(PackedValues)
    case bfloat16(PackedArray<UInt16>)
    case int8(Cells)
  }

  var values: Values
  var bias: PackedValues

  /// The weights in single precision, for a step that reads more than one pixel: a convolution that
  /// has one pixel in images of the network's own size, and more in larger ones.
  func floats(lanes: Int) -> PackedValues {
    switch values {
    case .float32(let values): values
    case .bfloat16(let values):
      .made(values.array.map { Float(bitPattern: UInt32($0) << 16) })
    case .int8(let cells): .made(Self.floats(cells, lanes: lanes))
    }
  }

  private static func floats(_ packed: Cells, lanes: Int) -> [Float] {
    let cells = packed.cells.array, scale = packed.scale.array
    let blocks = scale.count / lanes
    // Nothing where a packed file has other weights than it should; its reader says so.
    let inner = blocks == 0 ? 0 : cells.count / blocks / lanes
    var floats = Array(repeating: Float(0), count: cells.count * 4)
    for block in 0..<blocks {
      for cell in 0..<inner {
        for lane in 0..<lanes {
          let bits = UInt32(bitPattern: cells[(block * inner + cell) * lanes + lane])
          for value in 0..<4 {
            let integer = Int8(truncatingIfNeeded: bits >> UInt32(8 * value))
            floats[((block * inner + cell) * 4 + value) * lanes + lane] =
              Float(integer) * scale[block * lanes + lane]
          }
        }
      }
    }
    return floats
  }
}

extension PlanCompiler {
  /// The next packed weights of a fully connected layer.
  ///
  /// - Parameters:
  ///   - layer: The layer's name.
  ///   - blocks: Blocks of outputs.
  ///   - inner: Inputs.
  ///   - weights: Makes the weights in single precision, [block][input][lane].
  ///   - bias: Makes the bias, [block][lane].
  func takeLinear(
    _ layer: String, blocks: Int, inner: Int, weights: () -> [Float], bias: () -> [Float]
  ) -> LinearPacking {
    let count = blocks * lanes * inner
    let values: LinearPacking.Values
    // What is read once per image is as slow as memory: half the bytes, half the time.
    if let cells = linearCells(layer, blocks: blocks, inner: inner, weights: weights) {
      values = .int8(cells)
    } else if precision != .float32 && count >= 1 << 15 {
      values = .bfloat16(
        packed.take(layer, "linear, bfloat16", lanes: lanes, count: count) {
          weights().map(CellPacking.bfloat16)
        })
    } else {
      values = .float32(packed.take(layer, "linear", lanes: lanes, count: count, weights))
    }
    return LinearPacking(
      values: values,
      bias: packed.take(layer, "linear bias", lanes: lanes, count: blocks * lanes, bias))
  }

  /// The next packed weights of a fully connected layer, [block][input][lane], as cells; nil if it
  /// is too small to gain from them or the precision is not 8 bits.
  private func linearCells(
    _ layer: String, blocks: Int, inner: Int, weights: () -> [Float]
  ) -> LinearPacking.Cells? {
    let lanes = lanes, count = blocks * lanes * inner
    guard precision == .int8, inner % 4 == 0, count >= 1 << 18 else { return nil }
    var made: CellPacking?
    func pack() -> CellPacking {
      let packing =
        made ?? self.pack(layer, "linear", weights(), blocks: blocks)
      made = packing
      return packing
    }
    let use = "linear, cells of int8"
    let cells = packed.take(layer, use, lanes: lanes, count: count / 4) { pack().cells }
    let scale = packed.take(layer, "\(use), scale", lanes: lanes, count: blocks * lanes) {
      pack().scale
    }
    let sums = packed.take(layer, "\(use), sums", lanes: lanes, count: blocks * lanes) {
      pack().sums
    }
    return LinearPacking.Cells(cells: cells, scale: scale, sums: sums)
  }
}
