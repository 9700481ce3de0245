// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXNetworks
import MUXTasks
import Testing

@Suite("Tasks: their names in files, their heads, what they say")
struct TaskTests {
  private func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  private func task(_ text: String) throws -> NamedTask {
    try JSONDecoder().decode(NamedTask.self, from: Data(text.utf8))
  }

  @Test("a task is its name, or its name with settings, and reads back")
  func coding() throws {
    #expect(try json([NamedTask()]) == #"["classification"]"#)
    #expect(try task(#""classification""#) == NamedTask(Classification()))
    var several = MultiLabel()
    #expect(try json([NamedTask(several)]) == #"["multiLabel"]"#)
    several.positiveWeights = .given([2, 0.5])
    several.threshold = 0.25
    let text = try json(NamedTask(several))
    #expect(text.contains(#""name":"multiLabel""#) && text.contains(#""threshold":0.25"#))
    #expect(try task(text) == NamedTask(several))
    #expect(try task(#"{"name":"multiLabel"}"#) == NamedTask(MultiLabel()))
    #expect(try task(#""multiLabel""#) != NamedTask(several))
    #expect(NamedTask(MultiLabel()) != NamedTask(Classification()))
  }

  @Test("unknown tasks are named with the nearest, impossible settings with what is allowed")
  func badTasks() {
    for (text, part) in [
      (#""multilabel""#, "did you mean multiLabel?"),
      (#"{"name":"classify"}"#, "there is no task 'classify'"),
      (#"{"name":"multiLabel","threshold":1.5}"#, "0…1"),
      (#"{"name":"multiLabel","positiveWeights":"some"}"#, "none, balanced"),
      (#"{"name":"multiLabel","loss":"squaredError","positiveWeights":"balanced"}"#, "only"),
    ] {
      let error = #expect(throws: DecodingError.self) { try task(text) }
      #expect(error.map { "\($0)".contains(part) } == true, "\(text)")
    }
  }

  @Test("scores are one flat object; those of earlier versions read, undefined ones are null")
  func scores() throws {
    let old = #"{"count":359,"loss":0.5,"top1":0.25,"top5":0.75}"#
    let scores = try JSONDecoder().decode(Scores.self, from: Data(old.utf8))
    #expect(scores == Scores(count: 359, ["top1": 0.25, "loss": 0.5, "top5": 0.75]))
    #expect(scores["top1"] == 0.25 && scores[.loss] == 0.5 && scores["auroc"] == nil)
    #expect(try json(scores) == old)
    let undefined = Scores(count: 2, ["auroc": nil, "loss": 1])
    #expect(try json(undefined) == #"{"auroc":null,"count":2,"loss":1}"#)
    #expect(try JSONDecoder().decode(Scores.self, from: Data(json(undefined).utf8)) == undefined)
    #expect(undefined.rank(by: MultiLabel.auroc).isNaN)
    #expect(scores != undefined)
  }

  private func network(_ classes: Int) throws -> Network {
    try ModelZoo.architecture(named: "muxnet_xs").applying(ModelOptions(classes: classes))
      .network()
  }

  @Test("a head fits the network's outputs, or says what does not")
  func heads() throws {
    let network = try network(3)
    for task in [Classification(), MultiLabel()] as [any VisionTask] {
      _ = try task.head(for: network, classNames: ["a", "b", "c"])
      let error = #expect(throws: TaskError.self) {
        _ = try task.head(for: network, classNames: ["a", "b"])
      }
      #expect(error?.description.contains("has 3 outputs") == true)
    }
    let detector = try ModelZoo.network(named: "ssdlite_muxnet_l")
    let error = #expect(throws: TaskError.self) {
      _ = try Classification().head(for: detector, classNames: ["a"])
    }
    #expect(error?.description.contains("outputs (a detector)") == true)
    var task = MultiLabel()
    task.positiveWeights = .given([1, 2])
    #expect(throws: (any Error).self) {
      _ = try task.head(for: network, classNames: ["a", "b", "c"])
    }
  }

  @Test("a classifier says the most likely classes, a head of several labels those that are there")
  func outputs() throws {
    let outputs = [OutputTensor(name: "o", shape: [2, 3], values: [2, 0, 1, -3, -2, -1])]
    let sizes = [ImageSize(4), ImageSize(4)]
    let names = ["a", "b,c", "d"]
    let guesses = try ClassificationHead(network: "n", classNames: names)
      .decode(outputs, original: sizes, settings: DecodingSettings(limit: 2))
    #expect(guesses.map { $0.guesses.map(\.index) } == [[0, 2], [2, 1]])
    #expect(guesses[0].text == "a 66.5 %, d 24.5 %")
    let head = MultiLabelHead(task: MultiLabel(), network: "n", classNames: names)
    let sets = try head.decode(outputs, original: sizes, settings: DecodingSettings())
    #expect(sets.map { $0.labels.map(\.index) } == [[0, 2, 1], []])
    #expect(sets[1].text == "none of the classes (most likely d 26.9 %)")
    let lower = try head.decode(
      outputs, original: sizes, settings: DecodingSettings(threshold: 0.2))
    #expect(lower[1].labels.map(\.index) == [2])
    let csv = try #require(head.formats.first { $0.name == "csv" })
    let lines = try csv.text([("x.png", sets[0])]).split(separator: "\n")
    #expect(lines.count == 2 && lines[0] == #"path,a,"b,c",d"#)
    #expect(lines[1].hasPrefix("x.png,0.88") && lines[1].split(separator: ",").count == 4)
  }

  @Test("decisions of two computations are compared: first guesses, and labels one by one")
  func agreement() throws {
    func output(_ values: [Float]) -> [OutputTensor] {
      [OutputTensor(name: "o", shape: [2, 3], values: values)]
    }
    let names = ["a", "b", "c"]
    let exact = output([2, 0, 1, -3, -2, -1]), other = output([0.5, 0.5, 0.4, -1, -2, 1])
    let classifier = ClassificationHead(network: "n", classNames: names)
    #expect(try classifier.agreement(exact, exact) == DecisionCount("top-1", same: 2, of: 2))
    // Of two equal values the first is the guess: the first image agrees, the second does, too.
    #expect(try classifier.agreement(other, exact) == DecisionCount("top-1", same: 2, of: 2))
    #expect(
      try classifier.agreement(output([0, 2, 1, -1, -2, -3]), exact)
        == DecisionCount("top-1", same: 0, of: 2))
    let labels = MultiLabelHead(task: MultiLabel(), network: "n", classNames: names)
    // 1 and 0 are at or above one half; of the second image only the last label differs.
    #expect(try labels.agreement(other, exact) == DecisionCount("labels", same: 5, of: 6))
    #expect(throws: TaskError.self) {
      try classifier.agreement([OutputTensor(name: "o", shape: [1, 2], values: [0, 1])], exact)
    }
  }

  @Test("thresholds are chosen where the task says so")
  func tuning() throws {
    var task = MultiLabel()
    let head = MultiLabelHead(task: task, network: "n", classNames: ["a", "b"])
    var meter = head.makeMeter()
    try head.measure(
      [OutputTensor(name: "o", shape: [3, 2], values: [-1, 0, -2, 0, -3, 0])],
      [.labels([0]), .labels([0]), .labels([])], original: [4, 4, 4], into: &meter)
    #expect(task.tuned(by: meter) == task)
    task.choosesThresholds = true
    let tuned = task.tuned(by: meter)
    #expect(
      tuned.thresholds == [Sigmoid.probability(-2), 0.5], "a class that never occurs keeps its own")
    let better = MultiLabelHead(task: tuned, network: "n", classNames: ["a", "b"])
    let found = try better.decode(
      [OutputTensor(name: "o", shape: [1, 2], values: [-2, -1])], original: [4],
      settings: DecodingSettings())
    #expect(found[0].labels.map(\.label) == ["a"])
  }
}
