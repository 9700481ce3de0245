// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXImages
public import MUXNetworks

/// Things in an image, each with its class and its box: a single-shot detector with default boxes (SSD,
/// Liu et al. 2016).
///
/// In a recipe: `task: detection`, or with settings
/// `task: {name: detection, threshold: 0.3, priors: {imageSize: 300, maps: [...]}}`.
///
/// A network for it has two outputs for each map of features: first the class scores of all maps, [N, boxes
/// · classes, H, W], of which class 0 is the background, then the offsets of all maps, [N, boxes · 4, H, W].
public struct Detection: VisionTask {
  /// `detection`.
  public static let name = "detection"

  /// The default boxes; nil takes those that belong to the network's maps
  /// (``PriorLayout/usual(maps:imageSize:)``).
  public var priors: PriorLayout?
  /// Training: what happens where several objects have the same best default box.
  public var matching = PriorMatching.Rule.lastWins
  /// Training: the least overlap of a default box with the object that it learns.
  public var matchingOverlap = 0.5
  /// Training: negative default boxes for each positive one.
  public var negatives = HardNegatives.usualRatio
  /// Training: whether objects that the data calls difficult are learned.
  public var learnsDifficult = false
  /// The probability from which on a box is said to be there. Evaluations look at all above
  /// ``minimumScore``.
  public var threshold = 0.5
  /// Evaluation: boxes count if their class has a probability above this.
  public var minimumScore = 0.01
  /// Suppression: a box is dropped if it overlaps a better one of its class by more than this.
  public var overlap = 0.45
  /// The most candidates per class; the best are kept.
  public var candidates = 400
  /// The most boxes per image; the best are kept.
  public var limit = 200
  /// Whether boxes are cut off at the border of the image, after suppression.
  public var clipsBoxes = true
  /// The number of each class in COCO's results; nil takes those of the training images, and counts from 1
  /// where they have none.
  public var categoryIDs: [Int]?

  /// The task with the settings that public detectors share.
  public init() {}

  /// The mean over the classes of the area below the curve of precision and recall, PASCAL VOC's measure
  /// from 2010 on.
  public static let meanAveragePrecision = Metric(
    "map", label: "mAP", direction: .higher, format: .fixed(decimals: 4), minimum: 0, maximum: 1)
  /// The mean over the classes of the mean precision at eleven recalls, PASCAL VOC's measure until 2009.
  public static let elevenPointPrecision = Metric(
    "map11", label: "11-point mAP", direction: .higher, format: .fixed(decimals: 4), minimum: 0,
    maximum: 1)
  /// COCO's average precision over least overlaps of 0.50 to 0.95.
  public static let cocoPrecision = Metric(
    "coco", label: "COCO AP", direction: .higher, format: .fixed(decimals: 4), minimum: 0,
    maximum: 1)

  /// The mean average precision by three rules, and the loss.
  public var metrics: [Metric] {
    [Self.meanAveragePrecision, Self.elevenPointPrecision, Self.cocoPrecision, .loss]
  }

  /// Makes sure that the images have boxes, of at least one class.
  public func check(_ dataSet: any ImageDataSet) throws {
    guard !dataSet.classNames.isEmpty else {
      throw TaskError.tooFewClasses(task: Self.name, names: [], example: nil)
    }
    if dataSet.count > 0 {
      _ = try dataSet.target(at: 0).boxes(task: Self.name, name: dataSet.name(at: 0))
    }
    try checkCategories(dataSet.classNames.count)
  }

  /// With the numbers that the classes have in the data, so that results have them, too.
  public func suited(to dataSet: any ImageDataSet) -> Detection {
    var result = self
    result.categoryIDs = categoryIDs ?? dataSet.categoryIDs
    return result
  }

  /// One more than there are classes: the background.
  public func outputCount(classes: Int) -> Int? { classes + 1 }

  /// Makes sure that a network has two outputs for each map of features.
  public func check(_ network: Network) throws {
    guard network.outputs.count > 1 else {
      throw TaskError.detectorOutputs(
        network: network.name, reason: DetectorMaps.reasonForOne)
    }
  }

  /// The task for a network with class scores and offsets for each map of features; where no classes are
  /// given, they are called by their numbers.
  public func head(for network: Network, classNames: [String]) throws -> DetectionHead {
    let outputs = try DetectorMaps.outputs(of: network)
    return try head(
      network: network.name,
      imageSize: ImageSize(height: network.inputSize.height, width: network.inputSize.width),
      outputs: outputs, classNames: classNames.isEmpty ? nil : classNames)
  }

  /// The task for outputs of known shapes; classes are called by their numbers where no names are known.
  package func head(
    network: String, imageSize: ImageSize, outputs: [(name: String, shape: Shape)],
    classNames: [String]?
  ) throws -> DetectionHead {
    let boxes = (outputs.last?.shape.channels ?? 0) / 4, scores = outputs.count / 2 - 1
    let count = boxes > 0 && scores >= 0 ? outputs[scores].shape.channels / boxes - 1 : 0
    let names = classNames ?? (0..<max(count, 0)).map(String.init)
    let maps = try DetectorMaps(
      network: network, imageSize: imageSize, outputs: outputs, classes: names.count + 1)
    return try head(maps, network, names)
  }

  private func head(
    _ maps: DetectorMaps, _ network: String, _ classNames: [String]
  ) throws -> DetectionHead {
    try checkCategories(classNames.count)
    guard !classNames.isEmpty else {
      throw TaskError.tooFewClasses(task: Self.name, names: [], example: nil)
    }
    return DetectionHead(
      task: self, network: network, imageSize: maps.imageSize, classNames: classNames,
      maps: maps.maps, layout: try maps.layout(priors))
  }

  /// What of an image is taken to be there, in evaluations.
  var limits: DetectionLimits {
    DetectionLimits(
      score: minimumScore, overlap: overlap, candidatesPerClass: candidates, boxesPerImage: limit)
  }

  private func checkCategories(_ classes: Int) throws(ConfigurationError) {
    if let categoryIDs {
      try ConfigurationError.require(
        categoryIDs.count == classes, "task.categoryIDs", categoryIDs,
        "there are \(classes) classes, so give as many")
    }
  }
}

extension Detection: Codable {
  private enum CodingKeys: String, CodingKey {
    case priors, matching, matchingOverlap, negatives, learnsDifficult, threshold, minimumScore
    case overlap, candidates, limit
    case clipsBoxes = "clipBoxes"
    case categoryIDs
  }

  /// Reads the settings that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    try self.init(settingsFrom: decoder)
    do { try checkSettings(path: "task") } catch { throw decoder.invalid(error.description) }
  }

  /// Writes all settings.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeIfPresent(priors, forKey: .priors)
    try container.encode(matching, forKey: .matching)
    try container.encode(matchingOverlap, forKey: .matchingOverlap)
    try container.encode(negatives, forKey: .negatives)
    try container.encode(learnsDifficult, forKey: .learnsDifficult)
    try container.encode(threshold, forKey: .threshold)
    try container.encode(minimumScore, forKey: .minimumScore)
    try container.encode(overlap, forKey: .overlap)
    try container.encode(candidates, forKey: .candidates)
    try container.encode(limit, forKey: .limit)
    try container.encode(clipsBoxes, forKey: .clipsBoxes)
    try container.encodeIfPresent(categoryIDs, forKey: .categoryIDs)
  }
}
