// SPDX-License-Identifier: Apache-2.0
import MUXCore
package import MUXNetworks
package import MUXTensor

/// Draws fresh weights. Each tensor has a stream of its own, derived from the seed and its position
/// in the state dict, so that a changed head leaves the other weights as they were.
package struct ParameterInitializer {
  private let rule: WeightInitialization
  private let seed: UInt64

  /// Draws by a rule from a seed.
  package init(_ rule: WeightInitialization, seed: UInt64) {
    self.rule = rule
    self.seed = seed
  }

  /// A tensor on the CPU, in single precision (the counters: whole numbers).
  package func tensor(_ specification: ParameterSpecification, index: Int) throws -> Tensor {
    let shape = specification.shape
    switch specification.role {
    case .bias, .normalizationShift, .runningMean: return try Tensor.zeros(shape)
    case .normalizationScale, .runningVariance: return try Tensor.ones(shape)
    case .channelScale: return try Tensor.ones(shape) * 20
    case .batchCount: return try Tensor.zeros(shape, dtype: .int64)
    case .convolutionWeight where rule == .xavier, .linearWeight where rule == .xavier:
      let taps = shape.dropFirst(2).reduce(1, *)
      let bound = (6 / Double((shape[0] + shape[1]) * taps)).squareRoot()
      return try generator(index).uniform(shape, low: -bound, high: bound)
    case .convolutionWeight:
      // Output channels · k², the number of terms that a gradient flows back through. The paper's
      // code does not divide it by the groups, timm's does.
      var fanOut = shape[0] * shape[2] * shape[3]
      if rule == .googleGroups { fanOut /= specification.groups }
      return try generator(index).normal(
        shape, deviation: (2 / Double(max(fanOut, 1))).squareRoot())
    case .linearWeight:
      if rule == .kaiming { return try generator(index).normal(shape, deviation: 0.01) }
      let bound = 1 / Double(shape[0]).squareRoot()
      return try generator(index).uniform(shape, low: -bound, high: bound)
    }
  }

  /// A linear layer's weights for features that other weights have learned already. The Google rule draws
  /// from ± 1/√classes: for five classes that gives such features logits of ± 10 and a loss far above that
  /// of guessing, and the first steps undo what was learned.
  func weightOfNewHead(_ shape: [Int], index: Int) throws -> Tensor {
    try generator(index).normal(shape, deviation: 0.01)
  }

  private func generator(_ index: Int) throws -> TorchGenerator {
    var stream = RandomStream(seed: seed, purpose: .initialization, indices: UInt64(index))
    return try TorchGenerator(seed: stream.next())
  }
}
