// SPDX-License-Identifier: Apache-2.0
package import MUXNetworks

/// A tensor that the networks of a space share: as large as the largest of them needs it.
package struct SharedTensor: Sendable, Hashable {
  /// Its name in the super-network's file.
  package var name: String
  /// What it is in its layer.
  package var role: ParameterRole
  package var shape: [Int]
  /// The groups of its convolution, 1 elsewhere.
  package var groups: Int
}

/// Which part of a shared tensor a network takes for one of its parameters.
package struct SharedSlice: Sendable, Hashable {
  /// The parameter's name in the network.
  package var parameter: String
  /// The name of the shared tensor.
  package var tensor: String
  /// The positions along the first dimension, in the order of the network's channels.
  package var rows: [Int]
  /// The positions along the second dimension; nil takes all.
  package var columns: [Int]?
  /// The side of the kernel, cut from the centre; nil where there is none.
  package var kernel: Int?

  /// The shape of the part.
  package func shape(in whole: [Int]) -> [Int] {
    var shape = whole
    if !shape.isEmpty { shape[0] = rows.count }
    if let columns, shape.count > 1 { shape[1] = columns.count }
    if let kernel, shape.count == 4 { (shape[2], shape[3]) = (kernel, kernel) }
    return shape
  }

  /// Whether all that it takes is inside of a tensor of that shape.
  package func fits(in whole: [Int]) -> Bool {
    guard let first = whole.first, rows.allSatisfy({ (0..<first).contains($0) }) else {
      return false
    }
    if let columns {
      guard whole.count > 1, columns.allSatisfy({ (0..<whole[1]).contains($0) }) else {
        return false
      }
    }
    guard let kernel else { return whole.count < 3 }
    return whole.count == 4 && whole[2] == whole[3] && kernel <= whole[2]
      && (whole[2] - kernel) % 2 == 0
  }
}
