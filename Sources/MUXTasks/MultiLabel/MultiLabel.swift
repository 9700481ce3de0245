// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXImages
public import MUXNetworks

/// Any number of classes per image: a sigmoid for each class, binary cross entropy, AUROC.
///
/// In a recipe: `task: multiLabel`, or with settings
/// `task: {name: multiLabel, loss: squaredError, threshold: 0.3}`.
public struct MultiLabel: VisionTask {
  /// The loss to minimise.
  public enum Loss: String, Sendable, Hashable, Codable, CaseIterable {
    /// Binary cross entropy, the mean over images and classes.
    case binaryCrossEntropy
    /// (σ(x) − y)², the mean over images and classes.
    case squaredError
  }

  /// The factor of each class's positive images in the binary cross entropy.
  public enum PositiveWeights: Sendable, Hashable {
    /// 1 for each class.
    case none
    /// Negative over positive training images of the class, so that both weigh the same.
    case balanced
    /// One factor a class.
    case given([Double])
  }

  /// `multiLabel`.
  public static let name = "multiLabel"

  /// The loss to minimise.
  public var loss = Loss.binaryCrossEntropy
  /// The factor of each class's positive images in the loss.
  public var positiveWeights = PositiveWeights.none
  /// The probability from which a class counts as present.
  public var threshold = 0.5
  /// Whether each class gets a threshold of its own: the one with the greatest F1 on the validation
  /// images. The weights of a run keep them.
  public var choosesThresholds = false
  /// The thresholds of the classes, once they are chosen; they come before `threshold`.
  public var thresholds: [Double]?

  /// The task with binary cross entropy, and a threshold of one half.
  public init() {}

  /// The mean area under the ROC curve over the classes for which it is defined.
  public static let auroc = Metric(
    "auroc", label: "AUROC", direction: .higher, format: .fixed(decimals: 4), minimum: 0, maximum: 1
  )
  /// The mean average precision over the classes that have positive images.
  public static let averagePrecision = Metric(
    "averagePrecision", label: "average precision", direction: .higher,
    format: .fixed(decimals: 4), minimum: 0, maximum: 1)
  /// The mean F1 at the threshold over the classes for which it is defined.
  public static let f1 = Metric(
    "f1", label: "F1", direction: .higher, format: .fixed(decimals: 4), minimum: 0, maximum: 1)

  /// AUROC, average precision, F1, and the mean loss without positive weights.
  public var metrics: [Metric] { [Self.auroc, Self.averagePrecision, Self.f1, .loss] }

  /// Makes sure that the images have classes (one or several each), and that the settings of single
  /// classes are as many.
  public func check(_ dataSet: any ImageDataSet) throws {
    guard !dataSet.classNames.isEmpty else {
      throw TaskError.tooFewClasses(task: Self.name, names: [], example: nil)
    }
    if dataSet.count > 0 {
      _ = try dataSet.target(at: 0).labels(task: Self.name, name: dataSet.name(at: 0))
    }
    try checkCounts(dataSet.classNames.count)
  }

  /// One for each class.
  public func outputCount(classes: Int) -> Int? { classes }

  /// The task for a network of one output with a value for each class.
  public func head(for network: Network, classNames: [String]) throws -> MultiLabelHead {
    try network.requireOutputs(classNames.count, classes: classNames.count, task: Self.name)
    try checkCounts(classNames.count)
    return MultiLabelHead(task: self, network: network.name, classNames: classNames)
  }

  /// With the thresholds of greatest F1, if they are to be chosen; a class for which there is none
  /// keeps the common threshold.
  public func tuned(by meter: MultiLabelMeter) -> MultiLabel {
    guard choosesThresholds else { return self }
    var result = self
    result.thresholds = meter.bestThresholds().map { $0?.threshold ?? threshold }
    return result
  }

  func thresholds(classes: Int) -> [Double] {
    thresholds ?? [Double](repeating: threshold, count: classes)
  }

  private func checkCounts(_ classes: Int) throws(ConfigurationError) {
    if case .given(let weights) = positiveWeights {
      try ConfigurationError.require(
        weights.count == classes, "task.positiveWeights", weights,
        "there are \(classes) classes, so give as many")
    }
    if let thresholds {
      try ConfigurationError.require(
        thresholds.count == classes, "task.thresholds", thresholds,
        "there are \(classes) classes, so give as many")
    }
  }
}

extension MultiLabel: Codable {
  private enum CodingKeys: String, CodingKey {
    case loss, positiveWeights, threshold
    case choosesThresholds = "chooseThresholds"
    case thresholds
  }

  /// Reads the settings that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    try self.init(settingsFrom: decoder)
    guard ([threshold] + (thresholds ?? [])).allSatisfy({ 0 <= $0 && $0 <= 1 }) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "thresholds must lie in 0…1"))
    }
    guard loss == .binaryCrossEntropy || positiveWeights == .none else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath,
          debugDescription: "positiveWeights are for the loss binaryCrossEntropy only"))
    }
  }

  /// Writes all settings.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(loss, forKey: .loss)
    try container.encode(positiveWeights, forKey: .positiveWeights)
    try container.encode(threshold, forKey: .threshold)
    try container.encode(choosesThresholds, forKey: .choosesThresholds)
    try container.encodeIfPresent(thresholds, forKey: .thresholds)
  }
}

extension MultiLabel.PositiveWeights: Codable {
  /// Reads `none`, `balanced`, or one number a class.
  public init(from decoder: any Decoder) throws {
    func invalid() -> DecodingError {
      .dataCorrupted(
        .init(
          codingPath: decoder.codingPath,
          debugDescription: "none, balanced, or a list of one number above 0 for each class"))
    }
    if let weights = try? decoder.singleValueContainer().decode([Double].self) {
      guard !weights.isEmpty, weights.allSatisfy({ $0 > 0 && $0.isFinite }) else {
        throw invalid()
      }
      self = .given(weights)
      return
    }
    switch try? decoder.singleValueContainer().decode(String.self) {
    case "none": self = .none
    case "balanced": self = .balanced
    default: throw invalid()
    }
  }

  /// Writes `none`, `balanced`, or the list.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .none: try container.encode("none")
    case .balanced: try container.encode("balanced")
    case .given(let weights): try container.encode(weights)
    }
  }
}
