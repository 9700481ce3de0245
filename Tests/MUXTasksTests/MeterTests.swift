// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXNetworks
import MUXTasks
import Testing

@Suite("Meters of parts of the images, put together, are the meter of all")
struct MeterTests {
  /// Outputs [N, 4] that follow from the images' numbers, with some ties.
  private func outputs(_ images: Range<Int>) -> [OutputTensor] {
    [
      OutputTensor(
        name: "classifier", shape: [images.count, 4],
        values: images.flatMap { image in
          (0..<4).map { Float((image * 7 + $0 * 5) % 11) / 3 - 1.5 }
        })
    ]
  }

  private func check<Head: TaskHead>(_ head: Head, target: (Int) -> Target) throws
  where Head.TaskMeter: Equatable {
    func meter(_ images: Range<Int>) throws -> Head.TaskMeter {
      var meter = head.makeMeter()
      try head.measure(
        outputs(images), images.map(target), original: images.map { _ in ImageSize(8) },
        into: &meter)
      return meter
    }
    let whole = try meter(0..<40)
    var merged = try meter(0..<13)
    merged.merge(try meter(13..<40))
    #expect(merged.count == 40)
    for metric in whole.scores().entries {
      let value = try #require(metric.value)
      #expect(abs(try #require(merged.scores()[metric.name]) - value) < 1e-12, "\(metric.name)")
    }
    #expect(merged.tables() == whole.tables())
    let copy = try JSONDecoder().decode(Head.TaskMeter.self, from: JSONEncoder().encode(merged))
    #expect(copy == merged, "another process gets it whole")
  }

  private let names = ["a", "b", "c", "d"]

  @Test("classification") func classification() throws {
    try check(ClassificationHead(network: "n", classNames: names)) { .label($0 % 4) }
  }

  @Test("several labels") func multiLabel() throws {
    try check(MultiLabelHead(task: MultiLabel(), network: "n", classNames: names)) { image in
      .labels(Set((0..<4).filter { (image >> $0) & 1 == 1 }))
    }
  }

  @Test("classification by hand: top-1, loss, recall, precision and F1 of a class")
  func byHand() throws {
    let head = ClassificationHead(network: "n", classNames: ["a", "b"])
    var meter = head.makeMeter()
    try head.measure(
      [OutputTensor(name: "o", shape: [3, 2], values: [0, 0, 2, 1, 1, 3])],
      [.label(0), .label(1), .label(1)], original: [8, 8, 8], into: &meter)
    let scores = meter.scores()
    #expect(scores.count == 3 && scores["top1"] == 2.0 / 3 && scores["top5"] == 1)
    let losses = [log(2.0), log(1 + exp(1.0)), log(1 + exp(-2.0))]
    #expect(abs((scores["loss"] ?? 0) - losses.reduce(0, +) / 3) < 1e-12)
    // Of two guesses of a one is right, the one of b is; both have an F1 of 2/3.
    let f1 = 2.0 / 3
    #expect(
      meter.tables()[0].rows == [
        .init("a", [1, 0.5, 1, f1]), .init("b", [2, 1, 0.5, f1]),
        .init("mean of the classes", [3, 0.75, 0.75, f1]),
      ])
    #expect(meter.details().confusion == [[1, 0], [1, 1]])
  }

  @Test("in JSON the recall of a class without images is null, neither absent nor 0")
  func absentClass() throws {
    let head = ClassificationHead(network: "n", classNames: ["a", "b", "c"])
    var meter = head.makeMeter()
    try head.measure(
      [OutputTensor(name: "o", shape: [2, 3], values: [2, 0, 0, 2, 1, 0])],
      [.label(0), .label(1)], original: [8, 8], into: &meter)
    let json = try #require(
      try JSONSerialization.jsonObject(with: JSONEncoder().encode(meter.details()))
        as? [String: Any])
    let classes = try #require(json["classes"] as? [[String: Any]])
    #expect(classes.map { $0["recall"] as? Double } == [1, 0, nil])
    #expect(classes[2]["recall"] is NSNull)
    let details = try JSONDecoder().decode(
      ClassificationMeter.Details.self, from: JSONEncoder().encode(meter.details()))
    #expect(details == meter.details())
  }

  @Test("several labels by hand: the loss is the mean binary cross entropy, or squared error")
  func losses() throws {
    let outputs = [OutputTensor(name: "o", shape: [1, 2], values: [0, 1])]
    var task = MultiLabel()
    func loss() throws -> Double? {
      let head = MultiLabelHead(task: task, network: "n", classNames: ["a", "b"])
      var meter = head.makeMeter()
      try head.measure(outputs, [.labels([1])], original: [8], into: &meter)
      return meter.scores()["loss"]
    }
    let sigma = 1 / (1 + exp(-1.0))
    #expect(abs((try loss() ?? 0) - (log(2) - log(sigma)) / 2) < 1e-12)
    task.loss = .squaredError
    #expect(abs((try loss() ?? 0) - (0.25 + (1 - sigma) * (1 - sigma)) / 2) < 1e-12)
  }

  @Test("targets of another kind and classes that are not there are one clear line")
  func misfits() throws {
    let head = ClassificationHead(network: "n", classNames: ["a", "b"])
    var meter = head.makeMeter()
    let outputs = [OutputTensor(name: "o", shape: [1, 2], values: [0, 1])]
    let box = Target.boxes([])
    for (target, text) in [
      (Target.labels([0]), "has a set of classes"), (box, "has boxes"), (.label(2), "of class 2"),
    ] {
      let error = #expect(throws: TaskError.self) {
        try head.measure(outputs, [target], original: [8], into: &meter)
      }
      #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
    }
    #expect(throws: TaskError.self) {
      try head.measure(
        [OutputTensor(name: "o", shape: [1, 3], values: [0, 1, 2])], [.label(0)], original: [8],
        into: &meter)
    }
    #expect(meter.count == 0)
  }
}
