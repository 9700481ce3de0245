// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Which network to train, and from which weights.
public struct ModelConfiguration: Codable, Hashable, Sendable {
  /// How the bias of the last layer starts.
  public enum HeadBias: String, Codable, CaseIterable, Sendable {
    /// At zero, as every bias, or as `initialWeights` have it.
    case fresh
    /// So that the network answers at first as often as the classes occur in the training images: the
    /// logarithm of each class's share, or of its odds where an image has several labels. A head that
    /// `initialWeights` have is left as it is.
    case prior
  }

  /// A name of the zoo (`muxnet_m`), a file of block strings, or a network file.
  public var name: String = "muxnet_m"
  /// Outputs of the classifier; `nil` takes the number of classes of the data.
  public var classes: Int?
  /// Width and height of the input in pixels; `nil` takes the size that the network was made for.
  public var inputSize: Int?
  /// Channels of the input; `nil` takes those of the data.
  public var inputChannels: Int?
  /// Width multiplier; 1 leaves the network as it is.
  public var width: Double = 1
  /// Step from the input to the last feature map, for images too small for the usual 32; `nil`
  /// keeps it. Strides are removed from the front.
  public var outputStride: Int?
  /// Share of features dropped before the classifier; `nil` keeps the network's own.
  public var dropout: Double?
  /// Rate of dropped residual branches at the last block, rising linearly from 0 at the first;
  /// `nil` keeps the network's own.
  public var dropPath: Double?
  /// A weight file to start from (safetensors or PyTorch); `nil` means random weights.
  public var initialWeights: String?
  /// Whether averaged weights are taken from `initialWeights` where the file has both.
  public var prefersAveragedWeights: Bool = true
  /// Whether a classifier of another size in `initialWeights` is left out (transfer).
  public var replacesHead: Bool = false
  /// Whether missing, unexpected or misshapen weights in `initialWeights` are accepted.
  public var allowsPartialWeights: Bool = false

  /// Parameters that are not trained: patterns of their names such as `conv_stem`, `blocks.0.*` or
  /// `*.bias`. `*` stands for any characters; a whole part of a name stands for all below it. Each
  /// pattern must match, and something must be left to train. By default none is frozen.
  public var freeze: [String] = []
  /// Epochs after which the parameters of `freeze` are trained as all others, from 1 to one less than
  /// the run's; `nil` means never.
  public var freezeEpochs: Int?
  /// Whether batch norms all of whose parameters are frozen keep and use their running statistics, as
  /// at inference, instead of those of the batch.
  public var freezesStatistics: Bool = true
  /// How the bias of the last layer starts: `fresh` (zero, or as in `initialWeights`) or `prior` (from
  /// how often the classes occur in the training images).
  public var headBias: HeadBias = .fresh

  /// The defaults: MUXNet-m with random weights.
  public init() {}

  /// Reads the settings that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try container.update(&name, .name)
    try container.update(&classes, .classes)
    try container.update(&inputSize, .inputSize)
    try container.update(&inputChannels, .inputChannels)
    try container.update(&width, .width)
    try container.update(&outputStride, .outputStride)
    try container.update(&dropout, .dropout)
    try container.update(&dropPath, .dropPath)
    try container.update(&initialWeights, .initialWeights)
    try container.update(&prefersAveragedWeights, .prefersAveragedWeights)
    try container.update(&replacesHead, .replacesHead)
    try container.update(&allowsPartialWeights, .allowsPartialWeights)
    try container.update(&freeze, .freeze)
    try container.update(&freezeEpochs, .freezeEpochs)
    try container.update(&freezesStatistics, .freezesStatistics)
    try container.update(&headBias, .headBias)
  }

  /// Checks every setting.
  public func validate(path: String = "model") throws(ConfigurationError) {
    func checkCount(_ key: String, _ value: Int?, upTo limit: Int) throws(ConfigurationError) {
      try ConfigurationError.require("\(path).\(key)", value ?? 1, in: 1...limit)
    }
    func checkRate(_ key: String, _ value: Double?) throws(ConfigurationError) {
      let rate = value ?? 0
      try ConfigurationError.require(
        rate >= 0 && rate < 1, "\(path).\(key)", rate, "must be at least 0 and less than 1")
    }
    try ConfigurationError.require(
      !name.isEmpty, "\(path).name", "empty", "name a network, such as muxnet_m")
    try checkCount("classes", classes, upTo: 1_000_000)
    try checkCount("inputSize", inputSize, upTo: 8192)
    try checkCount("inputChannels", inputChannels, upTo: 1024)
    try checkCount("outputStride", outputStride, upTo: 1024)
    try checkRate("dropout", dropout)
    try checkRate("dropPath", dropPath)
    try ConfigurationError.require("\(path).width", width, in: 0.001...1000)
    try checkCount("freezeEpochs", freezeEpochs, upTo: 1_000_000)
    try ConfigurationError.require(
      freezeEpochs == nil || !freeze.isEmpty, "\(path).freezeEpochs", freezeEpochs ?? 0,
      "says how long the parameters of \(path).freeze rest, but that is empty")
  }
}
