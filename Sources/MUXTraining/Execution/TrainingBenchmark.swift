// SPDX-License-Identifier: Apache-2.0
import Foundation
public import MUXNetworks
import MUXTensor

/// Times training steps of a network on random images: forward, backward and update.
///
/// The update is SGD with momentum 0.9 (the other rules cost as much within a few milliseconds).
/// Times are of the wall clock; other work on the machine shows in the median, less in the minimum.
public struct TrainingBenchmark {
  /// Seconds of the parts of each measured step.
  public struct Result: Sendable, Codable, Hashable {
    /// From the images to the loss.
    public var forward: [Double] = []
    /// From the loss to the gradients.
    public var backward: [Double] = []
    /// The optimizer's step and the removal of the gradients.
    public var update: [Double] = []

    /// Whole steps in seconds.
    public var step: [Double] {
      zip(zip(forward, backward), update).map { $0.0 + $0.1 + $1 }
    }

    /// The middle value, the mean of the middle two for an even count; 0 for none.
    public static func median(_ values: [Double]) -> Double {
      let sorted = values.sorted()
      guard !sorted.isEmpty else { return 0 }
      let middle = sorted.count / 2
      return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
  }

  private let model: NetworkModel
  private let images: Tensor
  private let labels: Tensor
  private let parameters: [Tensor]
  private let momenta: [Tensor]
  private var isFirst = true

  /// Makes the network with fresh weights, and a batch.
  ///
  /// - Parameters:
  ///   - network: what to train; it must end in a linear classifier.
  ///   - batchSize: images per step.
  ///   - imageSize: their height and width; the network's own if nil.
  ///   - seed: decides weights and images.
  ///   - fusesOperations: whether blocks run as single operations, as in training.
  public init(
    _ network: Network, batchSize: Int, imageSize: ImageSize? = nil, seed: UInt64 = 0,
    fusesOperations: Bool = true
  ) throws {
    let size = imageSize ?? network.inputSize
    model = try NetworkModel(network, seed: seed, fusesOperations: fusesOperations)
    model.isTraining = true
    let generator = try TorchGenerator(seed: seed)
    images = try generator.normal([batchSize, network.inputChannels, size.height, size.width])
      .contiguous(.channelsLast)
    labels = try generator.integers([batchSize], in: 0..<(network.classCount ?? 1))
    parameters = model.parameters.map(\.tensor)
    momenta = try parameters.map { try $0.detach() * 0 }
  }

  /// One training step, added to the result.
  public mutating func step(into result: inout Result) throws {
    let clock = ContinuousClock()
    let start = clock.now
    let loss = try model.forward(images).crossEntropy(labels)
    let forward = clock.now
    try loss.backward()
    let backward = clock.now
    try ParameterList.stepSGD(
      parameters, momenta: momenta, rate: 0.01, momentum: 0.9, first: isFirst)
    try ParameterList.zeroGradients(parameters)
    let end = clock.now
    isFirst = false
    result.forward.append((forward - start) / .seconds(1))
    result.backward.append((backward - forward) / .seconds(1))
    result.update.append((end - backward) / .seconds(1))
  }

  /// Measures `steps` training steps after `warmUp` that do not count.
  public mutating func run(steps: Int, warmUp: Int = 2) throws -> Result {
    var ignored = Result()
    for _ in 0..<warmUp { try step(into: &ignored) }
    var result = Result()
    for _ in 0..<steps { try step(into: &result) }
    return result
  }
}
