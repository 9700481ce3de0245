// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import MUXInterchange
internal import MUXNetworks

/// The tensors of a network, checked against it; or nothing, where they are packed already.
struct LayerWeights {
  private let archive: TensorArchive?

  /// The weights of a plan whose packed weights come from elsewhere: empty lists, and batch norms
  /// that change nothing.
  static let absent = LayerWeights()

  private init() { archive = nil }

  /// - Throws: ``RuntimeError`` if tensors are missing, unexpected or of another shape. The count
  ///   of batches that a batch norm has seen may be missing: inference has no use for it.
  init(_ archive: TensorArchive, network: Network) throws(RuntimeError) {
    var missing: [String] = []
    var known: Set<String> = []
    for parameter in network.parameters {
      known.insert(parameter.name)
      guard parameter.role != .batchCount else { continue }
      guard let tensor = archive[parameter.name] else {
        missing.append(parameter.name)
        continue
      }
      guard tensor.shape == parameter.shape else {
        throw .weightShape(
          name: parameter.name, expected: parameter.shape, actual: tensor.shape)
      }
    }
    let unexpected = archive.names.filter { !known.contains($0) }
    guard missing.isEmpty, unexpected.isEmpty else {
      throw .weights(missing: missing, unexpected: unexpected)
    }
    self.archive = archive
  }

  subscript(name: String) -> [Float] { archive?[name]?.floats ?? [] }

  /// γ/√(σ² + ε) and β − μ·γ/√(σ² + ε) of a batch norm.
  func folded(_ norm: BatchNormalization, name: String) -> Affine {
    guard archive != nil else { return Affine(channels: norm.channels) }
    let weight = self["\(name).weight"], bias = self["\(name).bias"]
    let mean = self["\(name).running_mean"], variance = self["\(name).running_var"]
    var result = Affine(channels: norm.channels)
    for c in 0..<norm.channels {
      let scale = Double(weight[c]) / (Double(variance[c]) + norm.epsilon).squareRoot()
      result.scale[c] = Float(scale)
      result.shift[c] = Float(Double(bias[c]) - Double(mean[c]) * scale)
    }
    return result
  }
}

/// scale[c] · x + shift[c].
struct Affine {
  var scale: [Float]
  var shift: [Float]

  init(channels: Int) {
    scale = Array(repeating: 1, count: channels)
    shift = Array(repeating: 0, count: channels)
  }

  /// Applies `next` after this.
  mutating func then(_ next: Affine) {
    for c in scale.indices {
      scale[c] *= next.scale[c]
      shift[c] = shift[c] * next.scale[c] + next.shift[c]
    }
  }

  /// Adds a bias before this.
  mutating func after(bias: [Float]) {
    for c in bias.indices { shift[c] += bias[c] * scale[c] }
  }
}
