// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Which network to train, and from which weights.
public struct ModelConfiguration: Codable, Hashable, Sendable {
  /// What batch norms divide by in training.
  public enum Statistics: String, Codable, CaseIterable, Sendable {
    /// The mean and deviation of each batch.
    case batch
    /// The running statistics that the initial weights brought; without such weights as `batch`.
    case fixed
  }

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
  /// `*.bias`. `*` stands for any characters; a whole part of a name stands for all below it; `backbone`
  /// for all parameters but the head's, where none has such a name. Each pattern must match, and something
  /// must be left to train. By default none is frozen.
  public var freeze: [String] = []
  /// Epochs after which the parameters of `freeze` are trained as all others, from 1 to one less than
  /// the run's; `nil` means never.
  public var freezeEpochs: Int?
  /// Whether batch norms all of whose parameters are frozen keep and use their running statistics, as
  /// at inference, instead of those of the batch.
  public var freezesStatistics: Bool = true
  /// What batch norms divide by in training: the statistics of each batch, or those that the initial weights
  /// brought. Those of small batches are noise, and undo what a trained network knows.
  public var statistics: Statistics = .batch
  /// How the bias of the last layer starts: `fresh` (zero, or as in `initialWeights`) or `prior` (from
  /// how often the classes occur in the training images).
  public var headBias: HeadBias = .fresh

  /// Whether the backward pass computes anew what lies inside of blocks, of which only the ends are kept:
  /// the same gradients up to rounding with less memory, so that larger batches or images fit, in more time.
  public var checkpointsActivations: Bool = false

  /// The defaults: MUXNet-m with random weights.
  public init() {}

  /// Reads the settings that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    try self.init(settingsFrom: decoder)
  }
}

extension ModelConfiguration: SettingGroup {
  package static var settings: [Setting<Self>] {
    [
      Setting(
        "name", \.name,
        "The network: a name of the zoo, a file of block strings, or a network file",
        in: .named("muxnet_m")),
      Setting(
        "classes", \.classes, "Outputs of the classifier",
        absent: "as many as the data has classes",
        in: .within(1...1_000_000)),
      Setting(
        "inputSize", \.inputSize, "Width and height of the input",
        absent: "the size that the network was made for", unit: "pixels", in: .within(1...8192)),
      Setting(
        "inputChannels", \.inputChannels, "Channels of the input", absent: "those of the data",
        in: .within(1...1024)),
      Setting(
        "width", \.width, "Width multiplier; 1 leaves the network as it is",
        in: .within(0.001...1000)),
      Setting(
        "outputStride", \.outputStride,
        "Ratio of the input's size to the last feature map's, for small images; strides are removed from the front",
        absent: "the network's own, 32 as a rule", unit: "pixels", in: .within(1...1024)),
      Setting(
        "dropout", \.dropout, "Share of the features that are dropped before the classifier",
        absent: "the network's own", in: .within(0..<1)),
      Setting(
        "dropPath", \.dropPath,
        "Rate of dropped residual branches at the last block, rising linearly from 0 at the first",
        absent: "the network's own", in: .within(0..<1)),
      Setting(
        "initialWeights", \.initialWeights,
        "Weights to start from: a safetensors or PyTorch file, or the folder of a run",
        absent: "random weights", in: .named("weights.safetensors")),
      Setting(
        "prefersAveragedWeights", \.prefersAveragedWeights,
        "Whether averaged weights are taken from initialWeights if the file has both"),
      Setting(
        "replacesHead", \.replacesHead,
        "Whether a classifier of another size in initialWeights is left out (transfer)"),
      Setting(
        "allowsPartialWeights", \.allowsPartialWeights,
        "Whether missing, unexpected or misshapen weights in initialWeights are accepted"),
      Setting(
        "freeze", \.freeze,
        "Frozen parameters: name patterns such as conv_stem, blocks.0.*, *.bias; backbone: all but the head's"
      ),
      Setting(
        "freezeEpochs", \.freezeEpochs, "Epochs after which frozen parameters are trained as well",
        absent: "never", unit: "epochs", in: .within(1...1_000_000)),
      Setting(
        "freezesStatistics", \.freezesStatistics,
        "Whether batch norms that are frozen as a whole keep and use their running statistics"),
      Setting("statistics", \.statistics, "What batch norms divide by in training"),
      Setting("headBias", \.headBias, "How the bias of the last layer starts"),
      Setting(
        "checkpointsActivations", \.checkpointsActivations,
        "Whether the backward pass recomputes activations inside blocks: less memory, more time"),
    ]
  }

  /// Throws an error that names the first setting out of its range.
  public func validate(path: String = "model") throws(ConfigurationError) {
    try checkSettings(path: path)
    try ConfigurationError.require(
      freezeEpochs == nil || !freeze.isEmpty, "\(path).freezeEpochs", freezeEpochs ?? 0,
      "says how long the parameters of \(path).freeze rest, but that is empty")
  }

  /// The batch norms that use their running statistics in training.
  ///
  /// - Parameter hasFrozen: Whether parameters of `freeze` rest at present.
  func restingNorms(hasFrozen: Bool) -> RestingNorms {
    statistics == .fixed && initialWeights != nil
      ? .all : freezesStatistics && hasFrozen ? .frozen : .none
  }
}

extension ModelConfiguration.Statistics: ChosenSetting {
  package var meaning: String {
    switch self {
    case .batch: "the statistics of the batch"
    case .fixed: "the running statistics of initialWeights (without those as batch)"
    }
  }
}

extension ModelConfiguration.HeadBias: ChosenSetting {
  package var meaning: String {
    switch self {
    case .fresh: "zero, or as in initialWeights"
    case .prior: "such that the network's first predictions follow the class frequencies"
    }
  }
}
