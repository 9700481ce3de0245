// SPDX-License-Identifier: Apache-2.0
import MUXInterchange
import MUXNetworks

/// The tensors of a network, checked against it.
struct WeightTable {
  private let archive: TensorArchive
  private let prefix: String

  /// - Throws: ``ONNXExportError`` if tensors are missing, unexpected or of another shape. The count
  ///   of batches that a batch norm has seen may be missing: inference has no use for it.
  init(_ archive: TensorArchive, network: Network) throws(ONNXExportError) {
    self.archive = archive
    let isWrapped = archive.count > 0 && archive.names.allSatisfy { $0.hasPrefix("module.") }
    prefix = isWrapped ? "module." : ""
    var missing: [String] = []
    var known: Set<String> = []
    var reshaped: ONNXExportError?
    for parameter in network.parameters {
      known.insert(prefix + parameter.name)
      guard parameter.role != .batchCount else { continue }
      guard let tensor = archive[prefix + parameter.name] else {
        missing.append(parameter.name)
        continue
      }
      if tensor.shape != parameter.shape, reshaped == nil {
        reshaped = .weightShape(
          name: parameter.name, expected: parameter.shape, actual: tensor.shape)
      }
    }
    let unexpected = archive.names.filter { !known.contains($0) }
    // Names say more than shapes: weights of another network rarely fit in either.
    guard missing.isEmpty, unexpected.isEmpty else {
      throw .weights(network: network.name, missing: missing, unexpected: unexpected)
    }
    if let reshaped { throw reshaped }
  }

  subscript(name: String) -> [Float] { archive[prefix + name]?.floats ?? [] }

  /// The batch norm of a node as numbers per channel.
  func affine(_ norm: BatchNormalization, name: String) -> Affine {
    let weight = self["\(name).weight"], bias = self["\(name).bias"]
    let mean = self["\(name).running_mean"], variance = self["\(name).running_var"]
    var result = Affine(scale: [], shift: [])
    for channel in 0..<norm.channels {
      let scale =
        Double(weight[channel]) / (Double(variance[channel]) + norm.epsilon).squareRoot()
      result.scale.append(scale)
      result.shift.append(Double(bias[channel]) - Double(mean[channel]) * scale)
    }
    return result
  }
}

/// scale[c] · x + shift[c] for each channel c.
struct Affine {
  var scale: [Double]
  var shift: [Double]
}

/// The weight [C′, C / groups, …] and the bias [C′] of a convolution or a linear layer.
struct Kernel {
  var shape: [Int]
  var weight: [Float]
  var bias: [Float]?

  private var rows: Int { shape[0] }
  private var rowLength: Int { shape.dropFirst().reduce(1, *) }

  /// Lets a batch norm follow: `channel` gives the norm's channel for a row.
  mutating func fold(_ affine: Affine, channel: (Int) -> Int) {
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
