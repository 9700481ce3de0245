// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Which network to train, and from which weights.
public struct ModelConfiguration: Codable, Hashable, Sendable {
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
  }
}
