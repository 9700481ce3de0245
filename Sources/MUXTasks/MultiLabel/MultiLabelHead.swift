// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXImages

/// Multi-label classification for one network and its classes.
public struct MultiLabelHead: TaskHead {
  /// The task and its settings.
  public let task: MultiLabel
  /// The network's name, for messages.
  public let network: String
  /// The classes, in the order of the outputs.
  public let classNames: [String]

  /// The head of a network whose outputs are the classes.
  public init(task: MultiLabel, network: String, classNames: [String]) {
    self.task = task
    self.network = network
    self.classNames = classNames
  }

  /// The probability of each class, and which classes reach their threshold. `threshold` replaces
  /// those of the task, and `limit` is the most classes that are said to be there.
  public func decode(
    _ outputs: [OutputTensor], original: [ImageSize], settings: DecodingSettings
  ) throws -> [LabelSet] {
    let rows = try rows(of: outputs)
    let classes = classNames.count
    let thresholds =
      settings.threshold.map { [Double](repeating: $0, count: classes) }
      ?? task.thresholds(classes: classes)
    return (0..<rows.count).map { image in
      let shares = rows[image].map { Sigmoid.probability(Double($0)) }
      let found = classNames.indices.filter { shares[$0] >= thresholds[$0] }
        .sorted { shares[$0] != shares[$1] ? shares[$0] > shares[$1] : $0 < $1 }
      func entry(_ index: Int) -> LabelSet.Label {
        LabelSet.Label(label: classNames[index], index: index, probability: shares[index])
      }
      return LabelSet(
        labels: found.prefix(settings.limit ?? classes).map(entry),
        classes: classNames.indices.map(entry))
    }
  }

  /// A meter that has counted nothing.
  public func makeMeter() -> MultiLabelMeter {
    MultiLabelMeter(
      classNames: classNames, thresholds: task.thresholds(classes: classNames.count))
  }

  /// Keeps the outputs with the targets, and adds up the loss (without positive weights).
  public func measure(
    _ outputs: [OutputTensor], _ targets: [Target], original: [ImageSize],
    into meter: inout MultiLabelMeter
  ) throws {
    let rows = try rows(of: outputs)
    for (image, target) in targets.enumerated() {
      let labels = try target.labels(task: MultiLabel.name, name: "an image")
      if let wrong = labels.first(where: { !classNames.indices.contains($0) }) {
        throw TaskError.classOutside(index: wrong, classes: classNames.count, name: "an image")
      }
      let own = rows[image]
      var loss = 0.0
      for (index, output) in own.enumerated() {
        let isPositive = labels.contains(index)
        switch task.loss {
        case .binaryCrossEntropy:
          loss += Sigmoid.crossEntropy(Double(output), isPositive: isPositive)
        case .squaredError:
          let error = Sigmoid.probability(Double(output)) - (isPositive ? 1 : 0)
          loss += error * error
        }
      }
      meter.add(own, labels: labels, loss: loss / Double(max(classNames.count, 1)))
    }
  }

  /// The mean binary cross entropy of each image, its classes, and those that reach their threshold. The
  /// verdict turns on the class that is most wrong.
  public func verdicts(
    _ outputs: [OutputTensor], _ targets: [Target], original: [ImageSize]
  ) throws -> [ImageVerdict] {
    let rows = try rows(of: outputs)
    let thresholds = task.thresholds(classes: classNames.count)
    return try targets.enumerated().map { image, target in
      let labels = try target.labels(task: MultiLabel.name, name: "an image")
      let values = Array(rows[image])
      let shares = values.map { Sigmoid.probability(Double($0)) }
      let losses = values.enumerated().map {
        Sigmoid.crossEntropy(Double($1), isPositive: labels.contains($0))
      }
      let found = classNames.indices.filter { shares[$0] >= thresholds[$0] }
      func list(_ indices: [Int], _ text: (Int) -> String) -> String {
        indices.isEmpty ? "none" : indices.map(text).joined(separator: ", ")
      }
      return ImageVerdict(
        loss: losses.reduce(0, +) / Double(max(losses.count, 1)),
        isWrong: Set(found) != labels, truth: list(labels.sorted()) { classNames[$0] },
        said: list(found) { "\(classNames[$0]) \(ImageVerdict.percent(shares[$0]))" },
        outputIndex: losses.indices.max { losses[$0] < losses[$1] })
    }
  }

  /// Whether an image is of a class, for each class of each image.
  public func agreement(
    _ outputs: [OutputTensor], _ reference: [OutputTensor]
  ) throws -> DecisionCount? {
    let own = try rows(of: outputs), exact = try rows(of: reference)
    let thresholds = task.thresholds(classes: classNames.count)
    func labels(_ values: ArraySlice<Float>) -> [Bool] {
      zip(values, thresholds).map { Sigmoid.probability(Double($0)) >= $1 }
    }
    let same = (0..<own.count).reduce(0) { sum, image in
      sum + zip(labels(own[image]), labels(exact[image])).count { $0 == $1 }
    }
    return DecisionCount("labels", same: same, of: own.count * classNames.count)
  }

  /// The log-odds of the mean sigmoid, whose sigmoid is that mean.
  public func average(_ views: [[OutputTensor]]) throws -> [OutputTensor] {
    try OutputRows.average(
      views, rows: rows(of:),
      probabilities: { $0.map { Sigmoid.probability(Double($0)) } },
      output: Sigmoid.output(of:))
  }

  private func rows(of outputs: [OutputTensor]) throws -> OutputRows {
    try OutputRows(
      outputs, width: classNames.count, classes: classNames.count, network: network,
      task: MultiLabel.name)
  }

  /// Comma-separated values: a line for each image with the probability of each class.
  public var formats: [PredictionFormat<LabelSet>] {
    [
      PredictionFormat(name: "csv") { [classNames] images in
        CSVRow.text(
          [["path"] + classNames]
            + images.map { path, labels in
              [path] + labels.classes.map { "\($0.probability)" }
            })
      }
    ]
  }
}

/// What is said about an image that may be of several classes.
public struct LabelSet: TaskOutput, Codable, Hashable {
  /// One class.
  public struct Label: Codable, Hashable, Sendable {
    /// The class's name.
    public var label: String
    /// Its place among the outputs.
    public var index: Int
    /// The sigmoid of its output, 0…1.
    public var probability: Double
  }

  /// The classes that reach their threshold, most likely first.
  public var labels: [Label]
  /// All classes, in the order of the outputs.
  public var classes: [Label]

  /// The classes that are there, with their probabilities.
  public var text: String {
    let metric = Metric("probability", unit: "%", direction: .higher, format: .percent(decimals: 1))
    guard !labels.isEmpty else {
      let most = classes.max { $0.probability < $1.probability }
      return "none of the classes"
        + (most.map { " (most likely \($0.label) \(metric.text($0.probability)))" } ?? "")
    }
    return labels.map { "\($0.label) \(metric.text($0.probability))" }.joined(separator: ", ")
  }
}
