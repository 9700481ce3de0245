// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXNetworks
import MUXTasks
import Testing

@Suite("Detection as a task: networks, outputs, places, formats")
struct DetectionTaskTests {
  private let names = (0..<20).map { "class\($0)" }

  private func head(_ task: Detection = Detection()) throws -> DetectionHead {
    try task.head(for: ModelZoo.network(named: "ssdlite_muxnet_m"), classNames: names)
  }

  /// Outputs that say background everywhere, but for some default boxes.
  private func outputs(
    _ head: DetectionHead, _ found: [(prior: Int, label: Int, logit: Float)], images: Int = 1
  ) -> [OutputTensor] {
    let maps = head.layout.maps, classes = head.classNames.count + 1
    var first = 0
    var scores: [OutputTensor] = []
    var offsets: [OutputTensor] = []
    for (number, map) in maps.enumerated() {
      let positions = map.size.width * map.size.height, boxes = map.boxesPerPosition
      var values = [Float](repeating: 0, count: boxes * classes * positions)
      for box in 0..<boxes {
        for position in 0..<positions { values[box * classes * positions + position] = 9 }
      }
      for (prior, label, logit) in found where prior >= first && prior < first + map.count {
        let (position, box) = (prior - first).quotientAndRemainder(dividingBy: boxes)
        values[(box * classes + label + 1) * positions + position] = 9 + logit
      }
      first += map.count
      scores.append(
        OutputTensor(
          name: "s\(number)", shape: [images, boxes * classes, map.size.height, map.size.width],
          values: (0..<images).flatMap { _ in values }))
      let zeros = [Float](repeating: 0, count: images * boxes * 4 * positions)
      offsets.append(
        OutputTensor(
          name: "o\(number)", shape: [images, boxes * 4, map.size.height, map.size.width],
          values: zeros))
    }
    return scores + offsets
  }

  @Test("every detector of the zoo gets the default boxes that belong to it")
  func zoo() throws {
    for entry in ModelZoo.entries where entry.isDetector {
      let network = try ModelZoo.network(named: entry.name)
      let head = try Detection().head(for: network, classNames: names)
      let expected: PriorLayout =
        entry.name == "ssd300_vgg16"
        ? .vgg300VOC : entry.name.hasPrefix("ssdlite8_") ? .fine300 : .mobile300
      #expect(head.layout == expected, "\(entry.name)")
    }
    let fine = try ModelZoo.network(
      named: "ssdlite8_muxnet_m", options: ModelOptions(classes: 3, inputSize: ImageSize(416)))
    let layout = try Detection().head(for: fine, classNames: ["a", "b"]).layout
    #expect(layout.maps.map(\.size.width) == [52, 26, 13, 7, 4, 2, 1])
    // The finest map begins where the usual ones do not reach, and ends where they begin.
    #expect(layout.maps[0].minimum < 40 && layout.maps[0].maximum == layout.maps[1].minimum)
    let small = try ModelZoo.network(
      named: "ssdlite_muxnet_m", options: ModelOptions(classes: 3, inputSize: ImageSize(160)))
    let head = try Detection().head(for: small, classNames: ["a", "b"])
    #expect(head.layout.imageSize == 160 && head.layout.maps[0].size == 10)
    let unnamed = try Detection().head(for: small, classNames: [])
    #expect(unnamed.classNames == ["0", "1"])
  }

  @Test("a network that does not fit is refused in one line")
  func misfits() throws {
    func reason(_ network: Network, _ names: [String], _ task: Detection = Detection()) -> String {
      do {
        _ = try task.head(for: network, classNames: names)
        return ""
      } catch { return "\(error)" }
    }
    let classifier = try ModelZoo.network(named: "muxnet_xs")
    #expect(reason(classifier, names).contains("one output only"))
    let detector = try ModelZoo.network(named: "ssdlite_muxnet_m")
    #expect(reason(detector, ["a", "b"]).contains("20 classes and the background"))
    var task = Detection()
    task.priors = .vgg300VOC
    #expect(reason(detector, names, task).contains("task.priors has 38×38 × 4"))
    task = Detection()
    task.categoryIDs = [1, 2]
    #expect(reason(detector, names, task).contains("task.categoryIDs"))
  }

  @Test("settings read back, and travel by the task's name")
  func settings() throws {
    var task = Detection()
    task.priors = .mobile300
    task.matching = .bipartite
    task.threshold = 0.25
    task.categoryIDs = [1, 90]
    let data = try JSONEncoder().encode([NamedTask(task)])
    #expect(try JSONDecoder().decode([NamedTask].self, from: data) == [NamedTask(task)])
    #expect(
      String(decoding: try JSONEncoder().encode([NamedTask(Detection())]), as: UTF8.self)
        == #"["detection"]"#)
    for bad in [
      #"{"name":"detection","threshold":2}"#, #"{"name":"detection","limit":0}"#,
      #"{"name":"detection","matchingOverlap":0}"#, #"{"name":"detection","matching":"best"}"#,
    ] {
      #expect(throws: (any Error).self) {
        try JSONDecoder().decode(NamedTask.self, from: Data(bad.utf8))
      }
    }
  }

  @Test("boxes are told in pixels of the image, from the task's threshold on, within the image")
  func places() throws {
    let head = try head()
    // The prior of the whole image, and a small one at the upper left corner.
    let outputs = outputs(head, [(2994, 3, 3), (0, 7, 1)])
    let found = try head.decode(
      outputs, original: [ImageSize(height: 150, width: 600)], settings: DecodingSettings())
    #expect(found[0].boxes.map(\.label) == ["class3", "class7"])
    let whole = found[0].boxes[0], small = found[0].boxes[1]
    #expect(abs(whole.left - 15) < 1e-3 && abs(whole.right - 585) < 1e-3)
    #expect(abs(whole.top - 3.75) < 1e-3 && abs(whole.bottom - 146.25) < 1e-3)
    #expect(small.left == 0 && small.top == 0 && abs(small.right - 76) < 1e-3)
    let few = try head.decode(
      outputs, original: [300], settings: DecodingSettings(threshold: 0.9))
    #expect(few[0].boxes.map(\.index) == [3])
    let one = try head.decode(
      outputs, original: [300], settings: DecodingSettings(limit: 1, threshold: 0.001))
    #expect(one[0].boxes.count == 1)
    // Two classes that are equally likely reach one half exactly.
    let single = try Detection().head(
      for: ModelZoo.network(named: "ssdlite_muxnet_m", options: ModelOptions(classes: 2)),
      classNames: ["a"])
    let half = try single.decode(
      self.outputs(single, [(2994, 0, 0)]), original: [300], settings: DecodingSettings())
    #expect(half[0].boxes.map(\.probability) == [0.5])
    #expect(throws: TaskError.self) {
      try head.decode(
        Array(outputs.dropLast()), original: [300], settings: DecodingSettings())
    }
  }

  @Test(
    "a verdict counts what was missed and what was not there; the chart has the classes with objects"
  )
  func verdicts() throws {
    let head = try head()
    let outputs = outputs(head, [(2994, 3, 3), (0, 7, 1)])
    let whole = LabeledBox(label: 3, left: 7.5, top: 7.5, right: 292.5, bottom: 292.5)
    let lost = LabeledBox(label: 5, left: 10, top: 10, right: 20, bottom: 20)
    let verdict = try head.verdicts(outputs, [.boxes([whole, lost])], original: [300])[0]
    #expect(verdict.isWrong && verdict.truth == "2 objects")
    #expect(verdict.said == "2 found, 1 missed, 1 wrong")
    let small = try head.decode(outputs, original: [300], settings: DecodingSettings())[0].boxes[1]
    #expect(abs(verdict.loss - (1 + small.probability)) < 1e-9)
    #expect(verdict.boxes?.count == 4)
    var crowd = whole
    crowd.isDifficult = true
    let fine = try head.verdicts(
      self.outputs(head, [(2994, 3, 3)]), [.boxes([whole])], original: [300])[0]
    #expect(!fine.isWrong && fine.loss == 0 && fine.said == "1 found, 0 missed, 0 wrong")
    let hard = try head.verdicts(
      self.outputs(head, []), [.boxes([crowd])], original: [300])[0]
    #expect(!hard.isWrong && hard.said == "0 found, 0 missed, 0 wrong")
    var meter = head.makeMeter()
    #expect(meter.charts().isEmpty)
    try head.measure(outputs, [.boxes([whole, lost])], original: [300], into: &meter)
    let chart = try #require(meter.charts().first)
    #expect(chart.curves.map(\.name) == ["class3", "class5"])
    #expect(chart.curves[0].points.map(\.y) == Array(repeating: 1, count: 101))
  }

  @Test("a box whose place is no number is not told, whether boxes are cut off or not")
  func placesThatAreNone() throws {
    for clips in [true, false] {
      var task = Detection()
      task.clipsBoxes = clips
      task.limit = 10_000
      let head = try head(task)
      var values = [Float](repeating: 0, count: head.decoder.valueCount)
      let offsets = head.decoder.priors.count * head.decoder.classes
      for index in offsets..<values.count { values[index] = .nan }
      let settings = DecodingSettings(threshold: 0)
      #expect(head.decode(values[...], original: 300, settings: settings).boxes.isEmpty)
      values[offsets...].indices.forEach { values[$0] = .infinity }
      #expect(head.decode(values[...], original: 300, settings: settings).boxes.isEmpty)
    }
  }

  @Test("a cut preparation is undone: boxes are where they are in the picture")
  func preparation() throws {
    let pipeline = ImagePipeline(
      transforms: [
        .resize(Resize(size: ImageSize(height: 300, width: 400))), .centerCrop(300),
      ], mean: [0, 0, 0], standardDeviation: [1, 1, 1])
    let head = try head().forImages(preparedBy: pipeline)
    let found = try head.decode(
      outputs(head, [(2994, 3, 9)]), original: [ImageSize(height: 600, width: 800)],
      settings: DecodingSettings())
    let box = found[0].boxes[0]
    // The middle 300 of 400 columns, twice as large in the picture.
    #expect(abs(box.left - (100 + 15)) < 1e-3 && abs(box.right - (700 - 15)) < 1e-3)
    #expect(abs(box.top - 15) < 1e-3)
  }

  @Test("what is found where it is counts, and the loss is there; images without objects, too")
  func measure() throws {
    let head = try head()
    var meter = head.makeMeter()
    let outputs = outputs(head, [(2994, 3, 9)], images: 3)
    let object = LabeledBox(label: 3, left: 7.5, top: 7.5, right: 292.5, bottom: 292.5)
    try head.measure(
      outputs, [.boxes([object]), .boxes([]), .boxes([object])],
      original: [300, 300, ImageSize(height: 300, width: 600)], into: &meter)
    let scores = meter.scores()
    #expect(scores.count == 3)
    // Three detections of equal score, of which the second finds nothing.
    #expect(abs((scores["map"] ?? 0) - (0.5 + 0.5 * 2 / 3)) < 1e-9)
    #expect((scores["loss"] ?? 0) > 0 && (scores["loss"] ?? .nan).isFinite)
    var empty = head.makeMeter()
    try head.measure(
      outputs, [.boxes([]), .boxes([]), .boxes([])], original: [300, 300, 300], into: &empty)
    #expect(empty.scores()["map"] == nil && empty.scores()["loss"] == 0)
    #expect(meter.tables()[0].rows.count == 20 && meter.tables()[1].rows.count == 12)
    #expect(throws: TaskError.self) {
      try head.measure(
        outputs, [.label(1), .label(1), .label(1)], original: [1, 1, 1], into: &meter)
    }
    let wrong = LabeledBox(label: 20, left: 0, top: 0, right: 1, bottom: 1)
    #expect(throws: TaskError.self) {
      try head.measure(
        outputs, [.boxes([wrong]), .boxes([]), .boxes([])], original: [1, 1, 1], into: &meter)
    }
  }

  @Test("difficult objects and crowds are not learned")
  func learned() throws {
    var task = Detection()
    var box = LabeledBox(label: 3, left: 10, top: 10, right: 200, bottom: 200)
    #expect(try head(task).targets([box]).positives > 0)
    box.isDifficult = true
    #expect(try head(task).targets([box]).positives == 0)
    task.learnsDifficult = true
    #expect(try head(task).targets([box]).positives > 0)
    box.isCrowd = true
    #expect(try head(task).targets([box]).positives == 0)
  }

  @Test("text, CSV, COCO's results and YOLO's text")
  func formats() throws {
    var task = Detection()
    task.categoryIDs = (0..<20).map { 2 * $0 + 1 }
    let head = try head(task)
    let found = try head.decode(
      outputs(head, [(2994, 3, 9)]), original: [ImageSize(height: 300, width: 600)],
      settings: DecodingSettings())
    #expect(
      found[0].text.hasPrefix("class3 100.0 %") && found[0].text.contains("at (15, 8)–(585, 292)"))
    let nothing = try head.decode(
      outputs(head, []), original: [300], settings: DecodingSettings())
    #expect(nothing[0].text == "nothing found")
    func text(_ name: String, _ images: [(String, Detections)]) throws -> String {
      try #require(head.formats.first { $0.name == name }).text(
        images.map { (path: $0.0, output: $0.1) })
    }
    let csv = try text("csv", [("a.png", found[0])]).split(separator: "\n")
    #expect(csv[0] == "path,label,index,probability,left,top,right,bottom")
    #expect(csv.count == 2 && csv[1].hasPrefix("a.png,class3,3,0.99"))
    let coco = try text("coco", [("x/000000000139.jpg", found[0]), ("b.png", found[0])])
    #expect(coco.contains(#""category_id":7,"image_id":139"#) && coco.contains(#""image_id":2"#))
    let alike = try text("coco", [("a/7.jpg", found[0]), ("b/7.jpg", found[0])])
    #expect(alike.contains(#""image_id":1,"#) && alike.contains(#""image_id":2,"#), "\(alike)")
    #expect(try text("coco", []) == "[]\n")
    let yolo = try text("yolo", [("a.png", found[0])]).split(separator: " ")
    #expect(yolo[0] == "3" && yolo[1] == "0.500000" && yolo[3] == "0.950000" && yolo.count == 6)
    #expect(try text("yolo", [("a", nothing[0]), ("b", nothing[0])]) == "# a\n# b\n")
  }

  @Test("boxes that two computations agree on are counted")
  func agreement() throws {
    let head = try head()
    let exact = outputs(head, [(2994, 3, 9), (0, 7, 9)]), other = outputs(head, [(2994, 3, 8)])
    #expect(try head.agreement(other, exact) == DecisionCount("boxes", same: 1, of: 2))
    #expect(try head.agreement(exact, exact) == DecisionCount("boxes", same: 2, of: 2))
    // Boxes of the same class on another default box that overlaps by one half are the same thing, those of
    // another class or elsewhere are not.
    let priors = head.layout.boxes
    let near = try #require(
      (1..<priors.count).first { (0.5..<0.9).contains(priors[0].overlap(priors[$0])) })
    let one = outputs(head, [(0, 7, 9)])
    #expect(
      try head.agreement(outputs(head, [(near, 7, 9)]), one)
        == DecisionCount("boxes", same: 1, of: 1))
    #expect(
      try head.agreement(outputs(head, [(near, 8, 9)]), one)
        == DecisionCount("boxes", same: 0, of: 2))
    #expect(
      try head.agreement(outputs(head, [(1500, 7, 9)]), one)
        == DecisionCount("boxes", same: 0, of: 2))
  }
}
