// SPDX-License-Identifier: Apache-2.0
public import MUXEvaluation
public import MUXImages
public import MUXNetworks
public import MUXTasks
import MUXTensor

/// Computes a network's outputs on libtorch, in inference mode.
public struct TorchModel: VisionModel {
  /// The network with its weights.
  public let model: NetworkModel
  /// The arithmetic of the forward pass.
  public let precision: ArithmeticPrecision

  /// Takes a network with its weights.
  public init(_ model: NetworkModel, precision: ArithmeticPrecision = .float32) {
    self.model = model
    self.precision = precision
  }

  /// The network that is run.
  public var network: Network { model.network }
  /// What libtorch's kernels on the CPU like best.
  public var layout: MemoryLayout4D { .channelsLast }

  /// All outputs of the network for N images, in the order of the network's `outputs`.
  ///
  /// - Throws: `ExecutionError` or `NetworkError` for images that the network cannot take.
  public func outputs(_ batch: PixelBatch) throws -> [OutputTensor] {
    let wasTraining = model.isTraining
    model.isTraining = false
    defer { model.isTraining = wasTraining }
    let outputs = try withoutGradient { try model.outputs(of: batch, precision: precision) }
    return try zip(network.outputs, outputs).map { name, tensor in
      OutputTensor(name: name, shape: tensor.shape, values: try tensor.floats())
    }
  }
}
