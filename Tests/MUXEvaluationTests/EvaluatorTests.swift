// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXEvaluation
import MUXImages
import MUXTasks
import Testing

@Suite("Evaluating") struct EvaluatorTests {
  /// Brightness 0, ⅓, ⅔, 1.
  private let data = Pixels(
    levels: [0, 85, 170, 255], targets: [.labels([1]), .labels([0]), .labels([]), .labels([0])],
    classNames: ["bright", "dark"])

  /// Outputs −1, −⅓, ⅓, 1 for the first class, and the other way round for the second.
  private func model() throws -> BrightnessModel {
    try BrightnessModel(classes: 2) { [2 * $0 - 1, 1 - 2 * $0] }
  }

  @Test("Several labels: AUROC, average precision, F1 and loss are those found on paper")
  func severalLabels() throws {
    let result = try Evaluator().evaluate(
      model(), task: MultiLabel(), pipeline: Pixels.pipeline, on: data, batchSize: 3)
    func score(_ name: String) -> Double { result.scores[name] ?? .nan }
    #expect(result.scores.count == 4)
    // Bright, by output: 3 (positive), 2, 1 (positive), 0. Three of four pairs are in order; the
    // positives come at places 1 and 3. Dark: its only positive comes first.
    #expect(abs(score("auroc") - (0.75 + 1) / 2) < 1e-9)
    #expect(abs(score("averagePrecision") - ((1 + 2.0 / 3) / 2 + 1) / 2) < 1e-9)
    // At one half: bright says 2 and 3, of which 3 is right, and misses 1; dark says 0 and 1.
    #expect(abs(score("f1") - (0.5 + 2.0 / 3) / 2) < 1e-9)
    func loss(_ output: Double, _ isPositive: Bool) -> Double {
      log(1 + exp(isPositive ? -output : output))
    }
    let outputs = [-1, -1.0 / 3, 1.0 / 3, 1]
    let expected = zip(outputs, data.targets).reduce(0.0) { sum, one in
      sum + loss(one.0, one.1.classes.contains(0)) + loss(-one.0, one.1.classes.contains(1))
    }
    #expect(abs(score("loss") - expected / 8) < 1e-6)
  }

  @Test("Thresholds of greatest F1 are chosen, and the tuned task uses them")
  func thresholds() throws {
    var task = MultiLabel()
    task.choosesThresholds = true
    let first = try Evaluator().evaluate(
      model(), task: task, pipeline: Pixels.pipeline, on: data)
    let tuned = try #require(first.tunedTask.task as? MultiLabel)
    #expect(tuned.thresholds?.count == 2)
    let second = try Evaluator().evaluate(
      model(), task: tuned, pipeline: Pixels.pipeline, on: data)
    // Bright says 1, 2 and 3 now: two right, one wrong, none missed. Dark says 0 alone.
    #expect(abs((second.scores["f1"] ?? .nan) - (0.8 + 1) / 2) < 1e-9)
  }

  @Test("Progress counts the images of each batch")
  func progress() throws {
    var calls: [[Int]] = []
    var evaluator = Evaluator()
    evaluator.progress = { calls.append([$0, $1]) }
    _ = try evaluator.evaluate(
      model(), task: MultiLabel(), pipeline: Pixels.pipeline, on: data, batchSize: 3)
    #expect(calls == [[3, 4], [4, 4]])
  }

  @Test("An output that is no number names the image")
  func notFinite() throws {
    let broken = try BrightnessModel(classes: 2) { [$0 > 0.6 ? .nan : $0, 0] }
    let error = #expect(throws: EvaluationError.self) {
      try Evaluator().evaluate(
        broken, task: MultiLabel(), pipeline: Pixels.pipeline, on: data, batchSize: 3)
    }
    #expect(error == .notFinite(network: broken.network.name, what: "pixel 2"))
  }

  @Test("In JSON the scores stand beside what the task says")
  func json() throws {
    let result = try Evaluator().evaluate(
      model(), task: MultiLabel(), pipeline: Pixels.pipeline, on: data)
    let json = try #require(
      JSONSerialization.jsonObject(with: JSONEncoder().encode(result)) as? [String: Any])
    #expect((json["scores"] as? [String: Any])?["auroc"] as? Double == 0.875)
    #expect((json["classes"] as? [Any])?.count == 2)
    #expect(json["seconds"] is Double)
  }

  @Test("Images that do not fit the classes of the network are refused")
  func classes() throws {
    var three = data
    three.classNames.append("third")
    #expect(throws: TaskError.self) {
      try Evaluator().evaluate(
        model(), task: MultiLabel(), pipeline: Pixels.pipeline, on: three)
    }
  }
}
