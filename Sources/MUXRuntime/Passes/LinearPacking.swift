// SPDX-License-Identifier: Apache-2.0

/// The weights of a fully connected layer, [block][input][lane], and its bias.
struct LinearPacking {
  /// VNNI groups of 8 bits.
  struct Groups {
    var groups: PackedArray<Int32>
    /// What 1 is worth, and the sum of the integers, by output.
    var scale: PackedValues
    var sums: PackedValues
  }

  enum Values {
    case float32(PackedValues)
    case bfloat16(PackedArray<UInt16>)
    case int8(Groups)
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
    case .int8(let groups): .made(Self.floats(groups, lanes: lanes))
    }
  }

  private static func floats(_ packed: Groups, lanes: Int) -> [Float] {
    let groups = packed.groups.array, scale = packed.scale.array
    let blocks = scale.count / lanes
    // Nothing where a packed file has other weights than it should; its reader says so.
    let inner = blocks == 0 ? 0 : groups.count / blocks / lanes
    var floats = Array(repeating: Float(0), count: groups.count * 4)
    for block in 0..<blocks {
      for group in 0..<inner {
        for lane in 0..<lanes {
          let bits = UInt32(bitPattern: groups[(block * inner + group) * lanes + lane])
          for value in 0..<4 {
            let integer = Int8(truncatingIfNeeded: bits >> UInt32(8 * value))
            floats[((block * inner + group) * 4 + value) * lanes + lane] =
              Float(integer) * scale[block * lanes + lane]
          }
        }
      }
    }
    return floats
  }
}

extension Packing {
  /// The next packed weights of a fully connected layer.
  func packLinear(
    _ layer: String, _ precision: Precision, _ tensors: LayerTensors, rows: [Int], columns: [Int],
    rowLength: Int, channels: Int
  ) -> LinearPacking {
    let blocks = (rows.count + lanes - 1) / lanes
    let count = blocks * lanes * columns.count
    lazy var affine = weights.affine(tensors, channels: channels)
    func makeWeights() -> [Float] {
      WeightPacking.dense(
        weights.weight(tensors), rowLength: rowLength, outputs: rows, inputs: columns,
        scale: affine.scale, lanes: lanes)
    }
    let values: LinearPacking.Values
    switch precision {
    case .int8: values = .int8(linearGroups(layer, blocks: blocks, count: count, makeWeights))
    case .bfloat16:
      values = .bfloat16(
        source.take(layer, "linear, bfloat16", lanes: lanes, count: count) {
          makeWeights().map(GroupPacking.bfloat16)
        })
    case .float32:
      values = .float32(source.take(layer, "linear", lanes: lanes, count: count, makeWeights))
    }
    return LinearPacking(
      values: values,
      bias: source.take(layer, "linear bias", lanes: lanes, count: blocks * lanes) {
        WeightPacking.bias(affine.shift, outputs: rows, lanes: lanes)
      })
  }

  private func linearGroups(
    _ layer: String, blocks: Int, count: Int, _ weights: () -> [Float]
  ) -> LinearPacking.Groups {
    var made: GroupPacking?
    func pack() -> GroupPacking {
      let packing = made ?? self.pack(layer, "linear", .int8, weights(), blocks: blocks)
      made = packing
      return packing
    }
    // (The names of packed files.)
    let use = "linear, cells of int8"
    let groups = source.take(layer, use, lanes: lanes, count: count / 4) { pack().groups }
    let scale = source.take(layer, "\(use), scale", lanes: lanes, count: blocks * lanes) {
      pack().scale
    }
    let sums = source.take(layer, "\(use), sums", lanes: lanes, count: blocks * lanes) {
      pack().sums
    }
    return LinearPacking.Groups(groups: groups, scale: scale, sums: sums)
  }
}
