// SPDX-License-Identifier: Apache-2.0
public import MUXImages
public import MUXNetworks
import MUXRuntime
public import MUXTasks

/// A network with its weights that computes all its outputs for batches of images, whatever its task:
/// in the runtime (``RuntimeModel``), or on libtorch in a build that has it.
public protocol VisionModel {
  /// The network that is run.
  var network: Network { get }
  /// The order of the values in memory that suits it best; any order is taken.
  var layout: MemoryLayout4D { get }
  /// All outputs of the network for N images, in the order of the network's `outputs`.
  ///
  /// - Throws: If the images are not of the network's channels or too small for it.
  func outputs(_ batch: PixelBatch) throws -> [OutputTensor]
}

extension VisionModel {
  /// All outputs of the network for N images, all of them numbers.
  ///
  /// - Parameters:
  ///   - batch: The images.
  ///   - name: What the image at a place of the batch is called, for messages.
  /// - Throws: ``EvaluationError/notFinite(network:what:)`` for the first image with others.
  package func finiteOutputs(
    _ batch: PixelBatch, name: (Int) -> String = { "image \($0 + 1) of the batch" }
  ) throws -> [OutputTensor] {
    let outputs: [OutputTensor]
    do { outputs = try self.outputs(batch) } catch RuntimeError.resultNotFinite(_, let image) {
      throw EvaluationError.notFinite(network: network.name, what: name(image))
    }
    for output in outputs {
      guard let bad = output.values.firstIndex(where: { !$0.isFinite }) else { continue }
      let place = bad / max(1, output.values.count / max(batch.count, 1))
      throw EvaluationError.notFinite(network: network.name, what: name(place))
    }
    return outputs
  }
}
