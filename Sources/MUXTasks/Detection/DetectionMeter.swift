// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// The detections and objects of an evaluation, as far as its scores need them.
public struct DetectionMeter: Meter, Hashable {
  /// One class's part.
  public struct ClassResult: Codable, Hashable, Sendable {
    /// The class.
    public var name: String
    /// Objects that must be found.
    public var objects: Int
    /// Boxes that were detected, right or wrong.
    public var detections: Int
    /// Average precision as the area below the curve (PASCAL VOC from 2010 on); nil without objects.
    public var averagePrecision: Double?
    /// Average precision at eleven points (PASCAL VOC until 2009).
    public var elevenPoint: Double?
    /// COCO's average precision over least overlaps of 0.50 to 0.95.
    public var cocoAveragePrecision: Double?
    /// COCO's average precision at a least overlap of 0.50.
    public var cocoAveragePrecision50: Double?
    /// The score from which on F1 is greatest; nil where nothing was found.
    public var bestScore: Double?
    /// The F1 score at that threshold.
    public var bestF1: Double?
    /// The greatest precisions at recalls of 0, 0.01 … 1 or any higher ones.
    public var precisions: [Double]
  }

  /// What an evaluation says beside the scores.
  public struct Details: Codable, Hashable, Sendable {
    /// The classes, in the order of the outputs.
    public var classes: [ClassResult]
    /// COCO's twelve statistics.
    public var coco: COCOStatistics
  }

  /// What is kept of a class.
  private struct Outcomes: Hashable, Sendable, Codable {
    var scores: [Double] = []
    var verdicts: [DetectionVerdict] = []
    var objects = 0
    var coco = COCOMatches()

    mutating func add(_ found: [FoundObject], objects: [TrueObject]) {
      scores += found.map(\.score)
      verdicts += DetectionVerdict.verdicts(on: found, objects: objects)
      self.objects += objects.count { !$0.isIgnored }
      coco.add(found, objects: objects)
    }

    mutating func merge(_ other: Outcomes) {
      scores += other.scores
      verdicts += other.verdicts
      objects += other.objects
      coco.merge(other.coco)
    }

    var curve: PrecisionRecall {
      PrecisionRecall(scores: scores, verdicts: verdicts, objects: objects)
    }
  }

  private let classNames: [String]
  private var outcomes: [Outcomes]
  private var loss = MultiBoxLoss()
  /// Images counted.
  public private(set) var count = 0

  /// A meter that has counted nothing.
  public init(classNames: [String]) {
    self.classNames = classNames
    outcomes = classNames.map { _ in Outcomes() }
  }

  /// Counts one image; boxes are in its pixels.
  public mutating func add(_ found: [FoundObject], objects: [TrueObject]) {
    let foundByClass = Dictionary(grouping: found, by: \.label)
    let objectsByClass = Dictionary(grouping: objects, by: \.label)
    for label in Set(foundByClass.keys).union(objectsByClass.keys)
    where outcomes.indices.contains(label) {
      outcomes[label].add(foundByClass[label] ?? [], objects: objectsByClass[label] ?? [])
    }
    count += 1
  }

  /// Counts the loss of some images.
  mutating func add(_ loss: MultiBoxLoss) { self.loss.merge(loss) }

  /// Takes in what another meter of the same classes has counted.
  public mutating func merge(_ other: DetectionMeter) {
    precondition(classNames == other.classNames, "the meters are of different classes")
    for index in outcomes.indices { outcomes[index].merge(other.outcomes[index]) }
    loss.merge(other.loss)
    count += other.count
  }

  /// How precision falls as recall rises, class by class.
  public var curves: [PrecisionRecall] { outcomes.map(\.curve) }

  /// The means over the classes that have objects, and the loss.
  public func scores() -> Scores {
    let curves = curves
    func mean(_ values: [Double?]) -> Double? {
      let known = values.compactMap { $0 }
      return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
    }
    return Scores(
      count: count,
      [
        Metric.loss.name: loss.total,
        Detection.meanAveragePrecision.name: mean(curves.map(\.area)),
        Detection.elevenPointPrecision.name: mean(curves.map(\.elevenPoint)),
        Detection.cocoPrecision.name: COCOStatistics(outcomes.map(\.coco)).averagePrecision,
      ])
  }

  /// The classes one by one, and COCO's statistics.
  public func details() -> Details {
    Details(classes: results(), coco: COCOStatistics(outcomes.map(\.coco)))
  }

  /// The classes one by one, and COCO's statistics.
  public func tables() -> [ScoreTable] {
    func metric(_ name: String, _ format: Metric.Format) -> Metric {
      Metric(name, direction: .higher, format: format)
    }
    let share = Metric.Format.fixed(decimals: 4)
    return [
      ScoreTable(
        columns: [
          metric("objects", .grouped), metric("detections", .grouped), metric("AP", share),
          metric("11-point AP", share), metric("COCO AP", share), metric("best score", share),
          metric("best F1", share),
        ],
        rows: results().map {
          ScoreTable.Row(
            $0.name,
            [
              Double($0.objects), Double($0.detections), $0.averagePrecision, $0.elevenPoint,
              $0.cocoAveragePrecision, $0.bestScore, $0.bestF1,
            ])
        }),
      ScoreTable(
        subject: "COCO", columns: [metric("value", share)],
        rows: COCOStatistics(outcomes.map(\.coco)).named.map { ScoreTable.Row($0.name, [$0.value]) }
      ),
    ]
  }

  /// How precision falls as recall rises, for the classes that have objects.
  public func charts() -> [ScoreChart] {
    let counts = outcomes.map(\.objects)
    let shown = ScoreChart.shownClasses(counts)
    guard !shown.isEmpty else { return [] }
    return [
      ScoreChart(
        title: "Precision and recall",
        note:
          "The share of detections that found an object, over the share of objects found, as the"
          + " least score falls (an overlap of one half counts; made to fall only)."
          + ScoreChart.remark(shown: shown.count, of: counts), xTitle: "recall",
        yTitle: "precision",
        curves: shown.map { index in
          let precisions = outcomes[index].curve.curve()
          return ScoreChart.Curve(
            classNames[index],
            points: precisions.enumerated().map {
              .init(x: Double($0) / Double(precisions.count - 1), y: $1)
            })
        })
    ]
  }

  private func results() -> [ClassResult] {
    classNames.indices.map { index in
      let own = outcomes[index]
      let curve = own.curve
      let best = curve.best
      let coco = own.coco.results(area: 0)
      return ClassResult(
        name: classNames[index], objects: own.objects, detections: own.scores.count,
        averagePrecision: curve.area, elevenPoint: curve.elevenPoint,
        cocoAveragePrecision: coco.map {
          $0.reduce(0) { $0 + $1.precision } / Double(COCOMatches.overlaps.count)
        }, cocoAveragePrecision50: coco?[0].precision, bestScore: best?.score, bestF1: best?.f1,
        precisions: curve.curve())
    }
  }
}
