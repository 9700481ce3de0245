// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
package import MUXTensor

extension NetworkModel {
  /// Measures the statistics of all batch norms anew: the averages over batches of each batch's own mean and
  /// biased variance, weighted by images, as Once-for-All does for parts of weights that were trained
  /// together with others. (The variance over all images is larger by that of the batches' means.)
  ///
  /// - Parameters:
  ///   - batches: Batches [N, C, H, W], all of one size of images.
  ///   - pass: Runs the network on one of them; by default in the network's own arithmetic.
  package func remeasureStatistics(
    over batches: [Tensor], pass: ((Tensor) throws -> Void)? = nil
  ) throws {
    guard let size = batches.first?.shape, size.count == 4 else { return }
    let shapes = try network.shapes(inputSize: ImageSize(height: size[2], width: size[3]))
    var norms: [(mean: Tensor, variance: Tensor, counter: Tensor, momentum: Double, pixels: Int)] =
      []
    for (index, node) in network.nodes.enumerated() {
      guard case .batchNormalization(let settings) = node.operation, settings.momentum > 0 else {
        continue
      }
      let own = tensors(ofNode: index)
      norms.append(
        (own[2], own[3], own[4], settings.momentum, shapes[index].height * shapes[index].width))
    }
    let wasTraining = isTraining
    defer { isTraining = wasTraining }
    try withoutGradient {
      let counts = try norms.map { try $0.counter.clone() }
      let sums = try norms.map { (try $0.mean.filled(0), try $0.variance.filled(0)) }
      isTraining = true
      var images = 0
      for batch in batches {
        let count = batch.size(0)
        // A pass leaves (1 − m)·old + m·batch behind: with zeros before it, m times what it measured.
        for norm in norms {
          try norm.mean.zeroInPlace()
          try norm.variance.zeroInPlace()
        }
        if let pass { try pass(batch) } else { _ = try outputs(batch) }
        for (norm, sum) in zip(norms, sums) {
          let values = Double(count * norm.pixels)
          let weight = Double(count) / norm.momentum
          try sum.0.addInPlace(norm.mean, scale: weight)
          // What is recorded is divided by n − 1; of one value there is no variance.
          if values > 1 {
            try sum.1.addInPlace(norm.variance, scale: weight * (values - 1) / values)
          }
        }
        images += count
      }
      for (norm, sum) in zip(norms, sums) {
        try sum.0.multiplyInPlace(1 / Double(images))
        try sum.1.multiplyInPlace(1 / Double(images))
        try norm.mean.copyInPlace(from: sum.0)
        try norm.variance.copyInPlace(from: sum.1)
      }
      for (norm, count) in zip(norms, counts) { try norm.counter.copyInPlace(from: count) }
    }
  }
}
