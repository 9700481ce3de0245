// SPDX-License-Identifier: Apache-2.0

/// What a network that is built node by node can be told.
struct BuiltNetworkOptions: Sendable {
  var classes: Int
  /// The channels of the images.
  var inputChannels: Int
  /// The size of the images.
  var inputSize: ImageSize
  /// The dropout rate before the classifier, nil for the network's own.
  var dropoutRate: Double?

  /// The options for a network; colour images, and what the network was made for, unless given.
  ///
  /// - Throws: ``NetworkError/architecture(name:reason:)`` for what only block strings can change.
  init(
    _ options: ModelOptions, model: String, classes usualClasses: Int = 1000,
    inputSize usualSize: ImageSize = ImageSize(224)
  ) throws(NetworkError) {
    func require(_ condition: Bool, _ reason: String) throws(NetworkError) {
      if !condition { throw .architecture(name: model, reason: reason) }
    }
    classes = options.classes ?? usualClasses
    inputChannels = options.inputChannels ?? 3
    inputSize = options.inputSize ?? usualSize
    dropoutRate = options.dropoutRate
    try require(classes > 0, "the number of classes must be above 0, not \(classes)")
    try require(inputChannels > 0, "the input channels must be above 0, not \(inputChannels)")
    try require(
      classes <= Limits.setting && inputChannels <= Limits.setting,
      "it can have at most \(Limits.setting) classes or input channels")
    for (name, isGiven) in [
      ("width multiplier", (options.widthMultiplier ?? 1) != 1),
      ("output stride", options.outputStride != nil),
      ("drop-path rate", (options.dropPathRate ?? 0) != 0),
    ] {
      try require(!isGiven, "it has no \(name); leave it out, or take a network of block strings")
    }
  }

  /// A builder for the images.
  func builder(
    _ name: String, initialization: WeightInitialization = .kaiming
  ) -> NetworkBuilder {
    NetworkBuilder(
      name: name, inputChannels: inputChannels, inputSize: inputSize,
      initialization: initialization)
  }
}
