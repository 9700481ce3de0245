// SPDX-License-Identifier: Apache-2.0

import MUXTasks
import Testing

@Suite struct ClassificationMetricsTests {
  @Test("top-k, per-class accuracy and the confusion matrix of a hand-made case")
  func metrics() {
    var metrics = ClassificationMetrics(classCount: 3, topK: [1, 2, 5])
    #expect(metrics.topK == [1, 2])
    metrics.add(
      scores: [
        3, 2, 1,  // 0 taken for 0
        2, 3, 1,  // 0 taken for 1, second best
        1, 2, 3,  // 0 taken for 2, third
        0, 9, 1,  // 1 taken for 1
      ], labels: [0, 0, 0, 1])
    metrics.add(scores: [1, 1, 1], labels: [1])  // ties go to the lower index: 0
    #expect(metrics.count == 5)
    #expect(metrics.accuracy() == 0.4)
    #expect(metrics.accuracy(top: 2) == 0.8)
    #expect(metrics.accuracy(top: 5) == nil)
    let confusion = metrics.confusion
    #expect(confusion.counts == [1, 1, 1, 1, 1, 0, 0, 0, 0])
    #expect(confusion.accuracy == 0.4)
    #expect(confusion.classAccuracies == [1.0 / 3, 0.5, nil])
    #expect(confusion.classPrecisions == [0.5, 0.5, 0])
    #expect(abs(confusion.balancedAccuracy - 5.0 / 12) < 1e-12)
  }

  @Test("scores that are not numbers never count as right")
  func notNumbers() {
    var metrics = ClassificationMetrics(classCount: 3, topK: [1])
    metrics.add(scores: [1, .nan, 0], labels: [1])
    metrics.add(scores: [.nan, -.infinity, .nan], labels: [1])
    #expect(metrics.correct == [1])
    #expect(metrics.confusion[1, 0] == 1 && metrics.confusion[1, 1] == 1)
    let best = ClassificationMetrics.best(2, of: [.nan, 1, 5, 5])
    #expect(best.map(\.index) == [2, 3])
  }

  @Test("top-5 is shown where there are classes beyond five; files have it always")
  func shownMetrics() {
    let task = Classification()
    #expect(task.metrics(classes: 4) == task.metrics.filter { $0 != Classification.top5 })
    #expect(task.metrics(classes: 5) == task.metrics(classes: 4))
    #expect(task.metrics(classes: 6) == task.metrics)
    #expect(ClassificationMeter(classNames: ["a", "b"]).scores()["top5"] != nil)
    #expect(MultiLabel().metrics(classes: 2) == MultiLabel().metrics)
  }
}
