// SPDX-License-Identifier: Apache-2.0
public import MUXImages
public import MUXNetworks
import MUXRuntime
public import MUXVision

/// Something that computes a network's outputs for batches of images: the runtime
/// (``RuntimeClassifier``), or libtorch in a build that has it.
public protocol Classifier {
  /// The network that is run.
  var network: Network { get }
  /// The order of the values in memory that suits it best; any order is taken.
  var layout: MemoryLayout4D { get }
  /// The outputs [N, K] of the network for N images, row by row.
  ///
  /// - Throws: If the images are not of the network's channels or too small for it.
  func outputs(_ batch: Batch) throws -> [Float]
}

extension Classifier {
  /// The outputs [N, K] of the network for N images, all of them numbers.
  ///
  /// - Parameters:
  ///   - batch: The images.
  ///   - name: What the image at a place of the batch is called, for messages.
  /// - Throws: ``EvaluationError/notFinite(network:what:)`` for the first image with others.
  package func finiteOutputs(
    _ batch: Batch, name: (Int) -> String = { "image \($0 + 1) of the batch" }
  ) throws -> [Float] {
    let values: [Float]
    do { values = try outputs(batch) } catch RuntimeError.resultNotFinite(_, let image) {
      throw EvaluationError.notFinite(network: network.name, what: name(image))
    }
    guard let bad = values.firstIndex(where: { !$0.isFinite }) else { return values }
    let place = bad / max(1, values.count / max(batch.count, 1))
    throw EvaluationError.notFinite(network: network.name, what: name(place))
  }

  /// The softmax [N, K] of the outputs, row by row.
  ///
  /// - Parameters:
  ///   - batch: The images.
  ///   - name: What the image at a place of the batch is called, for messages.
  /// - Throws: ``EvaluationError/notFinite(network:what:)`` for outputs that are not numbers.
  public func probabilities(
    _ batch: Batch, name: (Int) -> String = { "image \($0 + 1) of the batch" }
  ) throws -> [Float] {
    var values = try finiteOutputs(batch, name: name)
    let classes = values.count / max(batch.count, 1)
    for first in stride(from: 0, to: values.count, by: max(classes, 1)) {
      let row = first..<first + classes
      let largest = values[row].max() ?? 0
      for index in row { values[index] = Softmax.exponential(values[index] - largest) }
      let sum = values[row].reduce(0, +)
      for index in row { values[index] /= sum }
    }
    return values
  }
}
