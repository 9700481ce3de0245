// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXTasks
import Testing

@Suite("Verdicts on single images, and curves")
struct VerdictTests {
  private func outputs(_ values: [Float], images: Int) -> [OutputTensor] {
    [OutputTensor(name: "o", shape: [images, values.count / images], values: values)]
  }

  @Test("the expected calibration error is that of its definition, bin by bin")
  func reliability() throws {
    var all = Reliability()
    #expect(all.expectedError == nil)
    var parts = [Reliability(), Reliability()]
    var sums = [Int: (count: Int, right: Int, confidence: Double)]()
    for number in 0..<500 {
      let confidence = Double(number * 37 % 101) / 100
      let isRight = number * 13 % 100 < number * 37 % 101 / 2
      all.add(confidence: confidence, isRight: isRight)
      parts[number % 2].add(confidence: confidence, isRight: isRight)
      // Bin m holds ((m − 1)/15, m/15]; nothing is the first one's, too.
      let bin = max(1, Int((confidence * 15).rounded(.up)))
      sums[bin, default: (0, 0, 0)].count += 1
      sums[bin]?.right += isRight ? 1 : 0
      sums[bin]?.confidence += confidence
    }
    let expected = sums.values.reduce(0.0) { sum, bin in
      sum + Double(bin.count) / 500
        * abs(Double(bin.right) / Double(bin.count) - bin.confidence / Double(bin.count))
    }
    #expect(abs(try #require(all.expectedError) - expected) < 1e-12)
    parts[0].merge(parts[1])
    #expect(abs(try #require(parts[0].expectedError) - expected) < 1e-12)
    #expect(all.bins.map(\.count).reduce(0, +) == 500)
    all.add(confidence: .nan, isRight: true)
    #expect(all.bins.map(\.count).reduce(0, +) == 500)
  }

  @Test(
    "a classifier's image: its loss, its class, and the first guess; the chart has the probabilities"
  )
  func classification() throws {
    let head = ClassificationHead(network: "n", classNames: ["cat", "dog", "eel"])
    let outputs = outputs([0, log(3), 0, 2, 0, 0], images: 2)
    let verdicts = try head.verdicts(outputs, [.label(0), .label(0)], original: [8, 8])
    #expect(verdicts.map(\.isWrong) == [true, false])
    #expect(abs(verdicts[0].loss - log(5)) < 1e-6)
    #expect(verdicts[0].truth == "cat" && verdicts[0].said == "dog 60 %")
    #expect(verdicts.map(\.outputIndex) == [1, 0] && verdicts[0].boxes == nil)
    #expect(throws: TaskError.self) {
      try head.verdicts(outputs, [.label(3), .label(0)], original: [8, 8])
    }
    var meter = head.makeMeter()
    try head.measure(outputs, [.label(0), .label(0)], original: [8, 8], into: &meter)
    let curve = try #require(meter.charts().first?.curves.last)
    let certain = exp(2.0) / (exp(2.0) + 2)
    #expect(curve.points.map(\.y) == [0, 1] && curve.points.map(\.count) == [1, 1])
    #expect(abs(curve.points[0].x - 0.6) < 1e-6 && abs(curve.points[1].x - certain) < 1e-6)
    let error = try #require(meter.details().expectedCalibrationError)
    #expect(abs(error - (0.6 + 1 - certain) / 2) < 1e-6)
  }

  @Test("several labels: classes from their thresholds on; the verdict turns on the worst class")
  func multiLabel() throws {
    let head = MultiLabelHead(task: MultiLabel(), network: "n", classNames: ["a", "b", "c"])
    let outputs = outputs([3, -4, 0.1, -1, -1, -1], images: 2)
    let verdicts = try head.verdicts(outputs, [.labels([0, 1]), .labels([])], original: [8, 8])
    #expect(verdicts.map(\.isWrong) == [true, false])
    #expect(verdicts[0].outputIndex == 1)
    #expect(verdicts[0].truth == "a, b" && verdicts[0].said == "a 95 %, c 52 %")
    #expect(verdicts[1].truth == "none" && verdicts[1].said == "none")
    let expected = (log1p(exp(-3.0)) + 4 + log1p(exp(-4.0)) + 0.1 + log1p(exp(-0.1))) / 3
    #expect(abs(verdicts[0].loss - expected) < 1e-6)
  }

  @Test("ROC curves rise from nothing to all, their area is the AUROC, and long ones are thinned")
  func curves() throws {
    let head = MultiLabelHead(task: MultiLabel(), network: "n", classNames: ["a", "b"])
    var meter = head.makeMeter()
    var random = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      let isPositive = Bool.random(using: &random)
      let value = Float.random(in: -1...1, using: &random) + (isPositive ? 0.5 : 0)
      try head.measure(
        outputs([value, 0], images: 1), [.labels(isPositive ? [0] : [])], original: [8],
        into: &meter)
    }
    let charts = meter.charts()
    #expect(charts.map(\.title) == ["ROC curves", "Calibration"])
    // The second class has no image: it has no curve.
    #expect(charts[0].curves.map(\.name) == ["chance", "a"])
    let points = charts[0].curves[1].points
    #expect(points.first == .init(x: 0, y: 0) && points.last == .init(x: 1, y: 1))
    #expect(points.count > 50 && points.count < 140)
    let area = zip(points, points.dropFirst()).reduce(0) {
      $0 + ($1.1.x - $1.0.x) * ($1.0.y + $1.1.y) / 2
    }
    let auroc = try #require(meter.details().classes[0].auroc)
    #expect(abs(area - auroc) < 0.01)
  }

  /// Images of any targets.
  private struct Made: ImageDataSet {
    var targets: [Target]
    var classNames = ["a", "b"]
    var count: Int { targets.count }
    func target(at index: Int) -> Target { targets[index] }
    func name(at index: Int) -> String { "image \(index)" }
    func image(at index: Int) -> Image { Image(width: 1, height: 1, color: [0]) }
  }

  @Test("images of classes that there are not are told by name, before anything is counted")
  func classesOutside() throws {
    for (wrong, label) in [
      (Target.label(2), 2), (.label(-1), -1), (.labels([0, 7]), 7),
      (.boxes([LabeledBox(label: 3, left: 0, top: 0, right: 1, bottom: 1)]), 3),
    ] {
      let data = Made(targets: [.label(0), .label(1), wrong])
      #expect(throws: TaskError.classOutside(index: label, classes: 2, name: "image 2")) {
        try data.checkClasses()
      }
      #expect(data.classCounts[1] == 1)
    }
    try Made(targets: [.label(0), .label(1)]).checkClasses()
  }
}
