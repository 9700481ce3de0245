// SPDX-License-Identifier: Apache-2.0

extension Network {
  /// The network with another number of classes, input size or drop rates.
  ///
  /// - Throws: ``NetworkError`` where the network has no such layer.
  public func applying(_ options: ModelOptions) throws(NetworkError) -> Network {
    var changed = nodes
    if let classes = options.classes, classes != classCount {
      guard let (index, linear) = classifier, isOutput(index) else {
        throw .invalidLayer(name: name, reason: "the network does not end in a linear classifier")
      }
      var wider = linear
      wider.outputFeatures = classes
      changed[index].operation = .linear(wider)
    }
    for index in changed.indices {
      if let rate = options.dropoutRate, case .dropout = changed[index].operation {
        changed[index].operation = .dropout(rate: rate)
      }
      if let rate = options.dropPathRate, case .dropPath = changed[index].operation {
        changed[index].operation = .dropPath(rate: rate)
      }
    }
    return try Network(
      name: name, inputChannels: inputChannels, inputSize: options.inputSize ?? inputSize,
      nodes: changed, blocks: blocks, outputs: outputs, initialization: initialization)
  }
}
