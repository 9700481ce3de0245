// SPDX-License-Identifier: Apache-2.0
public import MUXNetworks

/// The weights of a network, understood once: exactly its tensors, each of its shape, all numbers
/// sound. Runtime, ONNX and training read them here and nowhere else, by role instead of by name.
public struct CheckedWeights: Sendable {
  /// What the tensors were checked against.
  public let network: Network
  /// Its tensors under their names, as the file has them.
  public let archive: TensorArchive
  /// Where they come from, if from a file.
  public let path: String?

  /// Checks tensors against a network.
  ///
  /// The count of batches that a batch norm has seen may be missing: PyTorch wrote none before
  /// 0.4.1, and inference has no use for it.
  ///
  /// - Parameters:
  ///   - archive: The tensors; names as wrappers change them are understood (`WeightNames`).
  ///   - network: The network.
  ///   - path: Where they come from, for messages.
  /// - Throws: ``WeightsMismatchError`` with all that is missing, unexpected or of another shape;
  ///   `TensorValueError` for numbers that are not finite, variances below zero, and batch norms
  ///   whose factors leave single precision.
  public init(_ archive: TensorArchive, for network: Network, path: String? = nil) throws {
    let parameters = network.parameters
    let archive = archive.named(for: parameters)
    let report = LoadReport(archive, for: parameters)
    guard report.isComplete else {
      throw WeightsMismatchError(
        network: network.name, path: path, report: report, tolerance: .exact)
    }
    try archive.checkValues(path: path)
    self.network = network
    self.archive = archive
    self.path = path
    for node in network.nodes {
      guard case .batchNormalization(let norm) = node.operation else { continue }
      let affine = affine(norm, node.name, as: Float.self)
      let channel = affine.scale.indices.first {
        !affine.scale[$0].isFinite || !affine.shift[$0].isFinite
      }
      if let channel {
        throw TensorValueError(
          path: path,
          tensor: "\(node.name).\(ParameterSpecification.Role.normalizationScale.suffix)",
          reason: .normalization(channel: channel))
      }
    }
  }

  private init(_ archive: TensorArchive, network: Network, path: String?) {
    self.archive = archive
    self.network = network
    self.path = path
  }

  /// The weights of a network that is a part of this one, such as one cut at a layer.
  package func part(_ network: Network) -> CheckedWeights {
    var own = TensorArchive(metadata: archive.metadata)
    for parameter in network.parameters { own[parameter.name] = archive[parameter.name] }
    return CheckedWeights(own, network: network, path: path)
  }

  /// The numbers of a tensor.
  ///
  /// - Parameters:
  ///   - role: What it is in its layer.
  ///   - layer: The layer; of a branch, the node's name and the branch's with a dot between.
  /// - Returns: Row-major; none if the layer has no such tensor.
  package func values(_ role: ParameterSpecification.Role, of layer: String) -> [Float] {
    archive["\(layer).\(role.suffix)"]?.floats ?? []
  }

  /// γ/√(σ² + ε) and β − μ·γ/√(σ² + ε) of a batch norm, computed in double precision.
  package func affine<Value: BinaryFloatingPoint>(
    _ norm: BatchNormalization, _ layer: String, as type: Value.Type
  ) -> Affine<Value> {
    let weight = values(.normalizationScale, of: layer)
    let bias = values(.normalizationShift, of: layer)
    let mean = values(.runningMean, of: layer)
    let variance = values(.runningVariance, of: layer)
    var result = Affine<Value>(channels: norm.channels)
    for c in 0..<norm.channels {
      let scale = Double(weight[c]) / (Double(variance[c]) + norm.epsilon).squareRoot()
      result.scale[c] = Value(scale)
      result.shift[c] = Value(Double(bias[c]) - Double(mean[c]) * scale)
    }
    return result
  }
}

extension TensorArchive {
  /// Makes sure that the numbers are such that a network can compute with them, as far as the names
  /// tell: all finite, also in single precision, and no variance below zero.
  ///
  /// - Parameters:
  ///   - path: Where the tensors come from, for messages.
  ///   - names: The tensors that matter; nil for all.
  /// - Throws: `TensorValueError` for the first tensor that is not so.
  public func checkValues(
    path: String? = nil, of names: Set<String>? = nil
  ) throws(TensorValueError) {
    let variance = "." + ParameterSpecification.Role.runningVariance.suffix
    for (name, tensor) in self
    where tensor.elementType.isFloatingPoint && names?.contains(name) ?? true {
      if let reason = tensor.nonFiniteReason {
        throw TensorValueError(path: path, tensor: name, reason: reason)
      }
      if tensor.elementType == .float64 {
        do { _ = try tensor.narrowed(to: .float32) } catch {
          throw TensorValueError(path: path, tensor: name, reason: error)
        }
      }
      guard name.hasSuffix(variance) else { continue }
      let values = tensor.floats
      let negative = values.indices.filter { values[$0] < 0 }
      if let first = negative.first {
        throw TensorValueError(
          path: path, tensor: name,
          reason: .negativeVariance(
            count: negative.count, first: first, value: "\(values[first])"))
      }
    }
  }
}
