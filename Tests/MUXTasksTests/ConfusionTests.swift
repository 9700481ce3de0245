// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXTasks
import Testing

@Suite struct ConfusionTests {
  private func meter(_ names: [String], _ pairs: [(label: Int, guess: Int)]) throws
    -> ClassificationMeter
  {
    let head = ClassificationHead(network: "n", classNames: names)
    var meter = head.makeMeter()
    let values = pairs.flatMap { pair in names.indices.map { Float($0 == pair.guess ? 1 : 0) } }
    try head.measure(
      [OutputTensor(name: "o", shape: [pairs.count, names.count], values: values)],
      pairs.map { .label($0.label) },
      original: pairs.map { _ in ImageSize(1) }, into: &meter)
    return meter
  }

  @Test("precision, recall and F1 of each class, and their means over the classes with images")
  func scores() throws {
    // Three of four a are right, one is taken for b; one of two b is taken for a; no c, one guess of it.
    let meter = try meter(
      ["a", "b", "c", "d"], [(0, 0), (0, 0), (0, 0), (0, 1), (1, 1), (1, 0), (1, 2), (3, 0)])
    let scores = meter.scores()
    func near(_ value: Double?, _ expected: Double) -> Bool {
      value.map { abs($0 - expected) < 1e-12 } ?? false
    }
    let recall: Double = (0.75 + 1.0 / 3.0) / 3.0
    let f1: Double = (6.0 / 9.0 + 2.0 / 5.0) / 3.0
    #expect(near(scores["balancedAccuracy"], recall))
    #expect(near(scores["f1"], f1))
    let classes = meter.details().classes
    #expect(classes[0].precision == 0.6 && classes[0].recall == 0.75)
    #expect(classes[2].recall == nil && classes[2].precision == 0 && classes[2].f1 == nil)
    #expect(classes[3].precision == nil && classes[3].f1 == 0)
    let rows = try #require(meter.tables().first).rows
    #expect(rows.map(\.name) == ["a", "b", "c", "d", "mean of the classes"])
    let mean = try #require(rows.last)
    #expect(mean.values[0] == 8)
    let precision: Double = (0.6 + 0.5) / 3.0
    #expect(near(mean.values[1], precision) && near(mean.values[2], recall))
    #expect(meter.scores().rank(by: Classification.balancedAccuracy).isFinite)
    let empty = ClassificationMeter(classNames: ["a", "b"]).scores()
    #expect(empty["balancedAccuracy"] == .some(nil) && empty["f1"] == .some(nil))
  }

  @Test("the matrix is readable, and gives way to a list where it does not fit")
  func text() throws {
    let meter = try meter(["cat", "a longer name"], [(0, 0), (0, 1), (1, 1), (1, 1), (1, 0)])
    let table = try #require(meter.confusion())
    let blank = { String(repeating: " ", count: $0) }
    #expect(
      table.text(width: 40).split(separator: "\n") == [
        "\(blank(16))1 2", "1 cat\(blank(11))1 1", "2 a longer name 1 2",
      ])
    #expect(
      table.text(width: 8)
        == "1 of 2 cat taken for a longer name\n1 of 3 a longer name taken for cat")
    let many = ConfusionTable(
      names: (0..<70).map { "c\($0)" },
      counts: (0..<70).map { row in (0..<70).map { $0 == (row + 1) % 70 ? row + 1 : 0 } })
    let lines = many.text(width: 1000, limit: 3).split(separator: "\n")
    #expect(lines.count == 4 && lines[0] == "70 of 70 c69 taken for c0")
    #expect(lines[3] == "… and 67 other kinds of mistake")
    let right = ConfusionTable(names: ["a"], counts: [[3]])
    #expect(right.text(width: 4) == "no image was taken for another class")
  }
}
