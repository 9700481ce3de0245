// SPDX-License-Identifier: Apache-2.0

extension ModelZoo {
  /// What the layers of a detector's backbone are called in the classifier that it was made of, by their
  /// names in the detector: weights of the one load into the other by these. Empty for other networks.
  ///
  /// - Parameter network: A network of the zoo, of any number of classes.
  package static func backboneNames(of network: Network) -> [String: String] {
    guard let detector = SSD.all.first(where: { $0.name == network.name }),
      let names = try? detector.backboneNames(
        inputChannels: network.inputChannels, inputSize: network.inputSize)
    else { return [:] }
    return names
  }
}
