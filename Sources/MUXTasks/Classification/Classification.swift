// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXImages
public import MUXNetworks

/// One class per image: softmax, cross entropy, top-1 and top-5.
public struct Classification: VisionTask {
  /// `classification`.
  public static let name = "classification"

  /// Share of the images whose first guess is right.
  public static let top1 = Metric(
    "top1", label: "top-1", unit: "%", direction: .higher, format: .percent(decimals: 2),
    minimum: 0, maximum: 1)
  /// Share of the images with the right class among the first five guesses.
  public static let top5 = Metric(
    "top5", label: "top-5", unit: "%", direction: .higher, format: .percent(decimals: 2),
    minimum: 0, maximum: 1)

  /// The mean of the classes' shares of recognised images, where each class with images weighs the same.
  public static let balancedAccuracy = Metric(
    "balancedAccuracy", label: "balanced accuracy", unit: "%", direction: .higher,
    format: .percent(decimals: 2), minimum: 0, maximum: 1)
  /// The mean over the classes with images of F1, the harmonic mean of precision and recall.
  public static let f1 = Metric(
    "f1", label: "F1", direction: .higher, format: .fixed(decimals: 4), minimum: 0, maximum: 1)

  /// The task; it has no settings.
  public init() {}

  /// Top-1, top-5, the means over the classes, and the mean cross entropy without smoothing.
  public var metrics: [Metric] { [Self.top1, Self.top5, Self.balancedAccuracy, Self.f1, .loss] }

  /// Without top-5 where any five guesses are all classes.
  public func metrics(classes: Int) -> [Metric] {
    metrics.filter { $0 != Self.top5 || classes > 5 }
  }

  /// Makes sure that each image has one class, and that there are at least two.
  public func check(_ dataSet: any ImageDataSet) throws {
    guard dataSet.classNames.count > 1 else {
      throw TaskError.tooFewClasses(
        task: Self.name, names: dataSet.classNames,
        example: dataSet.count > 0 ? dataSet.name(at: 0) : nil)
    }
    if dataSet.count > 0 {
      _ = try dataSet.target(at: 0).label(task: Self.name, name: dataSet.name(at: 0))
    }
  }

  /// One for each class.
  public func outputCount(classes: Int) -> Int? { classes }

  /// The task for a network of one output with a value for each class.
  public func head(for network: Network, classNames: [String]) throws -> ClassificationHead {
    try network.requireOutputs(classNames.count, classes: classNames.count, task: Self.name)
    return ClassificationHead(network: network.name, classNames: classNames)
  }
}

/// Classification for one network and its classes.
public struct ClassificationHead: TaskHead {
  /// The network's name, for messages.
  public let network: String
  /// The classes, in the order of the outputs.
  public let classNames: [String]

  /// The head of a network whose outputs are the classes.
  public init(network: String, classNames: [String]) {
    self.network = network
    self.classNames = classNames
  }

  /// The most likely classes of each image, most likely first; five of them unless `limit` says
  /// otherwise, and none below `threshold`.
  public func decode(
    _ outputs: [OutputTensor], original: [ImageSize], settings: DecodingSettings
  ) throws -> [Prediction] {
    let rows = try rows(of: outputs)
    let limit = min(settings.limit ?? 5, classNames.count)
    return (0..<rows.count).map { image in
      let shares = Softmax.probabilities(rows[image])
      let best = ClassificationMetrics.best(limit, of: shares)
      return Prediction(
        guesses: best.filter { Double($0.score) >= settings.threshold ?? 0 || $0.score.isNaN }.map {
          Prediction.Guess(
            label: classNames[$0.index], index: $0.index, probability: Double($0.score))
        })
    }
  }

  /// A meter that has counted nothing.
  public func makeMeter() -> ClassificationMeter { ClassificationMeter(classNames: classNames) }

  /// Counts right guesses, and adds up the cross entropy. Ties between outputs go to the first.
  public func measure(
    _ outputs: [OutputTensor], _ targets: [Target], original: [ImageSize],
    into meter: inout ClassificationMeter
  ) throws {
    let rows = try rows(of: outputs)
    let labels = try targets.map { target in
      let label = try target.label(task: Classification.name, name: "an image")
      guard classNames.indices.contains(label) else {
        throw TaskError.classOutside(index: label, classes: classNames.count, name: "an image")
      }
      return Int64(label)
    }
    meter.add(rows.values, labels: labels)
  }

  /// The cross entropy of each image, its class, and the first guess.
  public func verdicts(
    _ outputs: [OutputTensor], _ targets: [Target], original: [ImageSize]
  ) throws -> [ImageVerdict] {
    let rows = try rows(of: outputs)
    return try targets.enumerated().map { image, target in
      let label = try target.label(task: Classification.name, name: "an image")
      guard classNames.indices.contains(label) else {
        throw TaskError.classOutside(index: label, classes: classNames.count, name: "an image")
      }
      let values = rows[image]
      let (index, share) = Softmax.best(values)
      return ImageVerdict(
        loss: Softmax.crossEntropy(values, own: values[values.startIndex + label]),
        isWrong: index != label, truth: classNames[label],
        said: "\(classNames[index]) \(ImageVerdict.percent(share))",
        outputIndex: index)
    }
  }

  /// The most likely class of each image; of equals the first.
  public func agreement(
    _ outputs: [OutputTensor], _ reference: [OutputTensor]
  ) throws -> DecisionCount? {
    let own = try rows(of: outputs), exact = try rows(of: reference)
    func guess(_ values: ArraySlice<Float>) -> Int? {
      values.indices.max { values[$0] < values[$1] }.map { $0 - values.startIndex }
    }
    return DecisionCount(
      "top-1", same: (0..<own.count).count { guess(own[$0]) == guess(exact[$0]) }, of: own.count)
  }

  /// The logarithm of the mean softmax, whose softmax is that mean.
  public func average(_ views: [[OutputTensor]]) throws -> [OutputTensor] {
    try OutputRows.average(
      views, rows: rows(of:),
      probabilities: { Softmax.probabilities($0).map { Double($0) } },
      output: Softmax.output(of:))
  }

  private func rows(of outputs: [OutputTensor]) throws -> OutputRows {
    try OutputRows(
      outputs, width: classNames.count, classes: classNames.count, network: network,
      task: Classification.name)
  }

  /// Comma-separated values: one line for each guess.
  public var formats: [PredictionFormat<Prediction>] {
    [
      PredictionFormat(name: "csv") { images in
        CSVRow.text(
          [["path", "rank", "index", "label", "probability"]]
            + images.flatMap { path, prediction in
              prediction.guesses.enumerated().map { rank, guess in
                [path, "\(rank + 1)", "\(guess.index)", guess.label, "\(guess.probability)"]
              }
            })
      }
    ]
  }
}

/// The most likely classes of one image.
public struct Prediction: TaskOutput, Codable, Hashable {
  /// One class.
  public struct Guess: Codable, Hashable, Sendable {
    /// The class's name.
    public var label: String
    /// Its place among the outputs.
    public var index: Int
    /// The softmax of its output, 0…1.
    public var probability: Double

    /// A guess.
    public init(label: String, index: Int, probability: Double) {
      self.label = label
      self.index = index
      self.probability = probability
    }
  }

  /// The classes, most likely first.
  public var guesses: [Guess]

  /// A prediction.
  public init(guesses: [Guess]) {
    self.guesses = guesses
  }

  /// The classes with their probabilities.
  public var text: String {
    let metric = Metric("probability", unit: "%", direction: .higher, format: .percent(decimals: 1))
    return guesses.map { "\($0.label) \(metric.text($0.probability))" }.joined(separator: ", ")
  }
}
