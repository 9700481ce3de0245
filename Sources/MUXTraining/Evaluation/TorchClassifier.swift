// SPDX-License-Identifier: Apache-2.0
public import MUXEvaluation
public import MUXImages
public import MUXNetworks
import MUXTensor
public import MUXVision

/// Computes a network's outputs on libtorch, in inference mode.
public struct TorchClassifier: Classifier {
  /// The network with its weights.
  public let model: NetworkModel
  /// The arithmetic of the forward pass.
  public let precision: ArithmeticPrecision

  /// A classifier of a model.
  public init(_ model: NetworkModel, precision: ArithmeticPrecision = .float32) {
    self.model = model
    self.precision = precision
  }

  /// The network that is run.
  public var network: Network { model.network }
  /// What libtorch's kernels on the CPU like best.
  public var layout: MemoryLayout4D { .channelsLast }

  /// The outputs [N, K] of the network for N images, row by row.
  ///
  /// - Throws: `ExecutionError` or `NetworkError` for images that the network cannot take.
  public func outputs(_ batch: Batch) throws -> [Float] {
    let wasTraining = model.isTraining
    model.isTraining = false
    defer { model.isTraining = wasTraining }
    return try withoutGradient { try model.logits(batch, precision: precision).floats() }
  }
}
