// SPDX-License-Identifier: Apache-2.0
package import MUXNetworks
package import MUXSearch
package import MUXWeights

extension WeightSharing {
  /// The weights of one network, cut from those that all share.
  ///
  /// - Parameters:
  ///   - genome: The choices, in canonical form.
  ///   - network: Their network.
  ///   - archive: The shared tensors.
  ///   - path: Where these come from, for messages.
  /// - Throws: ``SupernetError`` where a tensor is missing or of another shape.
  package func weights(
    of genome: Genome, _ network: Network, from archive: TensorArchive, path: String
  ) throws -> TensorArchive {
    let slices = Dictionary(
      try slices(genome, of: network).map { ($0.parameter, $0) },
      uniquingKeysWith: { first, _ in first })
    var weights = TensorArchive()
    for parameter in network.parameters {
      guard let slice = slices[parameter.name] else {
        // Counters of batches are of one network's training.
        weights[parameter.name] = ArchivedTensor(integers: [0], shape: [])
        continue
      }
      guard let whole = archive[slice.tensor] else {
        throw SupernetError.missing(path: path, tensor: slice.tensor)
      }
      guard slice.fits(in: whole.shape), slice.shape(in: whole.shape) == parameter.shape else {
        throw SupernetError.misshapen(
          path: path, tensor: slice.tensor, shape: whole.shape, expected: parameter.shape)
      }
      weights[parameter.name] = whole.part(slice)
    }
    return weights
  }
}

extension ArchivedTensor {
  /// A copy of a part that fits.
  func part(_ slice: SharedSlice) -> ArchivedTensor {
    let values = floats
    let shape = slice.shape(in: self.shape)
    let columns = slice.columns ?? Array(0..<(self.shape.count > 1 ? self.shape[1] : 1))
    let width = self.shape.count > 1 ? self.shape[1] : 1
    let side = self.shape.count > 2 ? self.shape[2] : 1
    let kernel = slice.kernel ?? side
    let margin = (side - kernel) / 2
    var part: [Float] = []
    part.reserveCapacity(shape.reduce(1, *))
    for row in slice.rows {
      for column in columns {
        let start = (row * width + column) * side * side
        for y in margin..<margin + kernel {
          let line = start + y * side + margin
          part += values[line..<line + kernel]
        }
      }
    }
    return ArchivedTensor(part, shape: shape)
  }
}
