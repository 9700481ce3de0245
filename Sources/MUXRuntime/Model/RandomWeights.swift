// SPDX-License-Identifier: Apache-2.0
import MUXCore
public import MUXNetworks
public import MUXWeights

/// Weights for timing and testing: deterministic, of a scale that keeps activations finite.
public enum RandomWeights {
  /// Tensors for all parameters of the network, from a seed.
  public static func archive(_ network: Network, seed: UInt64) -> TensorArchive {
    var archive = TensorArchive()
    for (index, parameter) in network.parameters.enumerated() {
      var random = SplitMix64(seed: seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(index))
      let values: [Float]
      switch parameter.role {
      case .batchCount:
        archive[parameter.name] = ArchivedTensor(integers: [1], shape: [])
        continue
      case .normalizationScale, .channelScale, .runningVariance:
        values = (0..<parameter.count).map { _ in 0.5 + random.uniform() }
      case .bias, .normalizationShift, .runningMean:
        values = (0..<parameter.count).map { _ in random.uniform() - 0.5 }
      case .convolutionWeight, .linearWeight:
        let fanIn = max(1, parameter.shape.dropFirst().reduce(1, *))
        let scale = 2 * (3 / Float(fanIn)).squareRoot()
        values = (0..<parameter.count).map { _ in (random.uniform() - 0.5) * scale }
      }
      archive[parameter.name] = ArchivedTensor(values, shape: parameter.shape)
    }
    return archive
  }
}

extension SplitMix64 {
  /// In 0 ..< 1.
  fileprivate mutating func uniform() -> Float { Float(next() >> 40) / Float(1 << 24) }
}
