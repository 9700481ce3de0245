// SPDX-License-Identifier: Apache-2.0
package import MUXEvaluation
package import MUXImages
import MUXNetworks
import MUXTensor

/// Which parts of an image raise one of a network's outputs: Grad-CAM (Selvaraju et al. 2017).
///
/// The gradients of the output at the last map of features, averaged over the map, say how much each
/// channel counts for it; the channels' sum with these weights, where it is positive, is the map.
package struct ClassActivationMaps {
  /// The layer whose features are looked at.
  package let layer: String
  private let model: NetworkModel

  /// Maps of weights on the CPU.
  ///
  /// - Returns: nil for a network without one output [N, K] behind a map of features, such as a detector,
  ///   and for files that are packed for the runtime.
  package init?(_ weights: TrainedWeights) throws {
    let network = weights.network
    guard weights.packed == nil, network.outputs.count == 1, network.hasFlatOutput else {
      return nil
    }
    // The last one before the features are flat: of one pixel nothing can be shown.
    let size = weights.pipeline.lastStatedSize ?? ImageSize(network.inputSize.height)
    guard let shapes = try? network.shapes(inputSize: size),
      let last = network.nodes.indices.last(where: {
        !network.isFlat($0) && shapes[$0].height * shapes[$0].width > 1
      })
    else { return nil }
    layer = network.nodes[last].name
    model = try TrainedModel(weights).model
    // Fused blocks may keep no record at inference.
    model.removeSegments()
  }

  /// The maps for one output of each image.
  ///
  /// - Parameters:
  ///   - batch: The images, prepared as for the network.
  ///   - outputs: The place of an output for each.
  package func maps(of batch: PixelBatch, outputs: [Int]) throws -> [HeatMap] {
    precondition(outputs.count == batch.count, "one output for each image")
    model.isTraining = false
    return try withGradient(true) { () throws -> [HeatMap] in
      let (output, layers) = try model.forward(model.images(of: batch), capturing: [layer])
      guard let features = layers[layer], features.shape.count == 4 else { return [] }
      let classes = output.shape.last ?? 0
      var mask = [Float](repeating: 0, count: outputs.count * classes)
      for (image, place) in outputs.enumerated() where place < classes {
        mask[image * classes + place] = 1
      }
      let chosen = try output * Tensor(mask, shape: [outputs.count, classes])
      guard let slopes = try Tensor.gradients(of: [chosen.sum()], with: [features]).first ?? nil
      else { return [] }
      let (channels, height, width) = (features.shape[1], features.shape[2], features.shape[3])
      let (values, gradients) = (
        try features.detach().contiguous().floats(), try slopes.contiguous().floats()
      )
      let plane = height * width
      return outputs.indices.map { image in
        var sums = [Float](repeating: 0, count: plane)
        for channel in 0..<channels {
          let first = (image * channels + channel) * plane
          let weight = gradients[first..<first + plane].reduce(0, +) / Float(plane)
          for pixel in 0..<plane { sums[pixel] += weight * values[first + pixel] }
        }
        let greatest = max(sums.max() ?? 0, 0)
        return HeatMap(
          width: width, height: height,
          values: sums.map { greatest > 0 ? max($0, 0) / greatest : 0 })
      }
    }
  }
}

extension ImagePipeline {
  /// The size of the images that come out, where that does not follow from theirs.
  fileprivate var lastStatedSize: ImageSize? {
    transforms.reversed().lazy.compactMap(\.statedSize).first
  }
}
