// SPDX-License-Identifier: Apache-2.0

extension Packing {
  /// Packs weights [block][term][lane] as groups, and notes what is lost.
  func pack(
    _ layer: String, _ use: String, _ precision: Precision, _ weights: [Float], blocks: Int,
    taps: Int = 1
  ) -> GroupPacking {
    let packing = GroupPacking(
      weights, blocks: blocks, lanes: lanes, precision: precision, taps: taps)
    if packing.isFinite {
      source.noteVanished(layer, use, channels: packing.vanished)
    } else {
      source.noteOverflow(layer, use)
    }
    return packing
  }

  /// The next packed weights, as groups.
  ///
  /// - Parameters:
  ///   - layer: The layer's name.
  ///   - use: What they are to the layer.
  ///   - precision: Their precision.
  ///   - blocks: Blocks of outputs.
  ///   - terms: Values that are multiplied and added up for an output, whole groups of them.
  ///   - taps: The values of a group are this many terms apart.
  ///   - input: How what they are multiplied with is quantised.
  ///   - weights: Makes the weights in single precision, [block][term][lane].
  ///   - bias: Makes the bias, [block][lane].
  func takeGroups(
    _ layer: String, _ use: String, _ precision: Precision, blocks: Int, terms: Int, taps: Int = 1,
    input: Quantization, weights: () -> [Float], bias: () -> [Float]
  ) -> PackedProduct {
    var made: (groups: [Int32], scale: [Float], bias: [Float])?
    func pack() -> (groups: [Int32], scale: [Float], bias: [Float]) {
      if let made { return made }
      let packing = self.pack(layer, use, precision, weights(), blocks: blocks, taps: taps)
      let adjusted = packing.adjusted(bias: bias(), input: input)
      source.noteVanished(layer, use, channels: adjusted.scale.count { $0 == 0 })
      let result = (packing.groups, adjusted.scale, adjusted.bias)
      made = result
      return result
    }
    // (The names of packed files.)
    let use = "\(use), cells of \(precision.rawValue)"
    let groups = source.take(
      layer, use, lanes: lanes, count: blocks * lanes * terms / precision.valuesPerGroup
    ) { pack().groups }
    let scale: PackedValues =
      precision == .int8
      ? source.take(layer, "\(use), scale", lanes: lanes, count: blocks * lanes) { pack().scale }
      : .made([])
    let shift = source.take(layer, "\(use), bias", lanes: lanes, count: blocks * lanes) {
      pack().bias
    }
    return PackedProduct(groups: groups, scale: scale, bias: shift)
  }

  /// The next packed weights of a projection that a gate is multiplied into, without their bias, which
  /// depends on the gate. The kernel rounds the products once more.
  func takeGated(
    _ layer: String, _ precision: Precision, blocks: Int, terms: Int, input: Quantization,
    weights: () -> [Float]
  ) -> (groups: PackedArray<Int32>, scale: PackedValues) {
    var made: GroupPacking?
    func pack() -> GroupPacking {
      let packing = made ?? self.pack(layer, "dense", precision, weights(), blocks: blocks)
      made = packing
      return packing
    }
    let use = "dense, gated, cells of \(precision.rawValue)"
    let groups = source.take(
      layer, use, lanes: lanes, count: blocks * lanes * terms / precision.valuesPerGroup
    ) { pack().groups }
    let scale: PackedValues =
      precision == .int8
      ? source.take(layer, "\(use), scale", lanes: lanes, count: blocks * lanes) {
        pack().scale.map { $0 * input.scale }
      }
      : .made([])
    return (groups, scale)
  }
}
