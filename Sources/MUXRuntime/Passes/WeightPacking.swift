// SPDX-License-Identifier: Apache-2.0

/// Weights in the order in which the kernels read them.
enum WeightPacking {
  /// [block][inner][lane] from rows of weights.
  ///
  /// - Parameters:
  ///   - weight: [output][input], row-major, `rowLength` inputs per row.
  ///   - outputs: The rows, in order; −1 for rows of zeros. Padded to whole blocks.
  ///   - inputs: The columns in order; −1 for zeros.
  ///   - scale: A factor for each row of `weight`.
  ///   - hasHalfBlock: Whether the last block is half as wide.
  static func dense(
    _ weight: [Float], rowLength: Int, outputs: [Int], inputs: [Int], scale: [Float], lanes: Int,
    hasHalfBlock: Bool = false
  ) -> [Float] {
    let blocks = (outputs.count + lanes - 1) / lanes
    let inner = inputs.count
    let count = (blocks * lanes - (hasHalfBlock ? lanes / 2 : 0)) * inner
    return [Float](unsafeUninitializedCapacity: count) { packed, initialized in
      packed.initialize(repeating: 0)
      weight.withUnsafeBufferPointer { weight in
        inputs.withUnsafeBufferPointer { inputs in
          for (position, row) in outputs.enumerated() where row >= 0 {
            let block = position / lanes
            let width = hasHalfBlock && block == blocks - 1 ? lanes / 2 : lanes
            let factor = scale[row]
            var to = block * lanes * inner + position % lanes
            let from = row * rowLength
            for column in inputs {
              if column >= 0 { packed[to] = weight[from + column] * factor }
              to += width
            }
          }
        }
      }
      initialized = count
    }
  }

  /// Values for the given rows, 0 where the row is −1, padded to whole blocks.
  static func bias(_ values: [Float], outputs: [Int], lanes: Int) -> [Float] {
    var packed = outputs.map { $0 >= 0 ? values[$0] : 0 }
    while packed.count % lanes != 0 { packed.append(0) }
    return packed
  }
}
