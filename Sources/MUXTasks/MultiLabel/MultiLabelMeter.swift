// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// The outputs and targets of a multi-label evaluation, from which its scores follow.
public struct MultiLabelMeter: Meter, Hashable {
  /// One class's part.
  public struct ClassResult: Codable, Hashable, Sendable {
    /// The class.
    public var name: String
    /// Images that are of the class.
    public var positives: Int
    /// Images that are not.
    public var negatives: Int
    /// The area under the ROC curve; nil where all images have one value.
    public var auroc: Double?
    /// The average precision; nil without positive images.
    public var averagePrecision: Double?
    /// The threshold of the class.
    public var threshold: Double
    /// F1 at that threshold; nil where neither images nor predictions are positive.
    public var f1: Double?
    /// The threshold of greatest F1 on these images; nil without positive images.
    public var bestThreshold: Double?
    /// The F1 score at that threshold.
    public var bestF1: Double?
    /// The ROC curve; nil where all images have one value.
    public var roc: ROCCurve?
  }

  /// What an evaluation says beside the scores.
  public struct Details: Codable, Hashable, Sendable {
    /// The classes, in the order of the outputs.
    public var classes: [ClassResult]
  }

  private let classNames: [String]
  private let thresholds: [Double]
  private var outcomes: [RankedOutcomes]
  private var lossSum = 0.0
  private var reliability = Reliability()
  /// Images counted.
  public private(set) var count = 0

  /// A meter that has counted nothing; one threshold a class.
  public init(classNames: [String], thresholds: [Double]) {
    precondition(classNames.count == thresholds.count, "one threshold a class")
    self.classNames = classNames
    self.thresholds = thresholds
    outcomes = classNames.map { _ in RankedOutcomes() }
  }

  /// Counts one image: an output a class, the classes that it is of, and its loss.
  mutating func add(_ outputs: some Collection<Float>, labels: Set<Int>, loss: Double) {
    for (index, output) in outputs.enumerated() {
      let isPositive = labels.contains(index)
      outcomes[index].add(output, isPositive: isPositive)
      reliability.add(confidence: Sigmoid.probability(Double(output)), isRight: isPositive)
    }
    lossSum += loss
    count += 1
  }

  /// Takes in what another meter of the same classes has counted.
  public mutating func merge(_ other: MultiLabelMeter) {
    precondition(classNames == other.classNames, "the meters are of different classes")
    for index in outcomes.indices { outcomes[index].merge(other.outcomes[index]) }
    lossSum += other.lossSum
    reliability.merge(other.reliability)
    count += other.count
  }

  /// The means over the classes for which a metric is defined, and the mean loss.
  public func scores() -> Scores {
    let classes = results()
    func mean(_ values: [Double?]) -> Double? {
      let known = values.compactMap { $0 }
      return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
    }
    return Scores(
      count: count,
      [
        Metric.loss.name: lossSum / Double(max(count, 1)),
        MultiLabel.auroc.name: mean(classes.map(\.auroc)),
        MultiLabel.averagePrecision.name: mean(classes.map(\.averagePrecision)),
        MultiLabel.f1.name: mean(classes.map(\.f1)),
      ])
  }

  /// The classes one by one, with their ROC curves.
  public func details() -> Details {
    var classes = results()
    for index in classes.indices { classes[index].roc = outcomes[index].curve() }
    return Details(classes: classes)
  }

  /// Between which values the AUROC of each class, and their mean, lie when whole groups of images are
  /// drawn anew.
  public func intervals(groups: [Int], _ resampling: Resampling) -> ScoreIntervals? {
    guard groups.count == count, count > 0 else { return nil }
    return ResampledROC(outcomes, groups: groups).intervals(resampling, classNames: classNames)
  }

  /// The classes one by one.
  public func tables() -> [ScoreTable] {
    [
      ScoreTable(
        columns: [
          Metric("positives", direction: .higher, format: .grouped),
          MultiLabel.auroc, MultiLabel.averagePrecision,
          Metric("threshold", direction: .higher, format: .fixed(decimals: 4)), MultiLabel.f1,
          Metric("best threshold", direction: .higher, format: .fixed(decimals: 4)),
          Metric("best F1", direction: .higher, format: .fixed(decimals: 4)),
        ],
        rows: results().map {
          ScoreTable.Row(
            $0.name,
            [
              Double($0.positives), $0.auroc, $0.averagePrecision, $0.threshold, $0.f1,
              $0.bestThreshold, $0.bestF1,
            ])
        })
    ]
  }

  /// The share of a class's images that is found over the share of others that is taken for it, and
  /// whether probabilities are to be believed.
  public func charts() -> [ScoreChart] {
    let counts = outcomes.map { $0.negatives > 0 ? $0.positives : 0 }
    let shown = ScoreChart.shownClasses(counts)
    let curves = shown.map { index in
      ScoreChart.Curve(classNames[index], points: outcomes[index].curve()?.points ?? [])
    }
    let chance = ScoreChart.Curve(
      "chance", points: [.init(x: 0, y: 0), .init(x: 1, y: 1)], isReference: true)
    let roc = ScoreChart(
      title: "ROC curves",
      note:
        "The share of a class's images that is found, over the share of the others that is taken for"
        + " it, as the threshold falls.\(ScoreChart.remark(shown: shown.count, of: counts))",
      xTitle: "false positive rate", yTitle: "true positive rate", curves: [chance] + curves)
    return (curves.isEmpty ? [] : [roc]) + [reliability.chart(of: "what is said of a class")]
  }

  /// The threshold of greatest F1 for each class; nil where no image is positive.
  package func bestThresholds() -> [(threshold: Double, f1: Double)?] {
    outcomes.map { $0.bestThreshold() }
  }

  private func results() -> [ClassResult] {
    classNames.indices.map { index in
      let outcome = outcomes[index]
      let best = outcome.bestThreshold()
      return ClassResult(
        name: classNames[index], positives: outcome.positives, negatives: outcome.negatives,
        auroc: outcome.areaUnderROC(), averagePrecision: outcome.averagePrecision(),
        threshold: thresholds[index], f1: outcome.f1(threshold: thresholds[index]),
        bestThreshold: best?.threshold, bestF1: best?.f1)
    }
  }
}
