// SPDX-License-Identifier: Apache-2.0
package import MUXImages
package import MUXNetworks

extension ImagePipeline {
  /// What is done to the images of a network that comes without a preparation of its own; nil for one
  /// that takes no images of 1 or 3 channels.
  package static func usual(
    for network: Network, normalization: Normalization? = nil
  ) -> ImagePipeline? {
    guard network.inputChannels == 1 || network.inputChannels == 3 else { return nil }
    return usual(
      channels: network.inputChannels,
      size: network.inputSize,
      normalization: normalization)
  }

  /// Why it cannot prepare images for a network in inference; nil if it can.
  package func defect(for network: Network) -> String? {
    if let defect = inferenceDefect {
      return "its preparation of images cannot be done in inference: \(defect)"
    }
    guard channels == network.inputChannels else {
      return "its preparation gives images of \(channels) channel(s), but the network takes"
        + " \(network.inputChannels)"
    }
    guard mean.allSatisfy({ $0.isFinite }), standardDeviation.allSatisfy({ $0 > 0 && $0.isFinite })
    else { return "the mean and deviation of its preparation are not finite and above 0" }
    return nil
  }
}
