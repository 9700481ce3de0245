// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTasks
import MUXTestSupport
import Testing

@Suite("Scores of detectors are those of PASCAL VOC's and COCO's own programs")
struct DetectionScoreTests {
  /// A value of a list whose entries have several types.
  private enum Value: Decodable {
    case number(Double), text(String), flag(Bool), list([Value])

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let list = try? container.decode([Value].self) {
        self = .list(list)
      } else if let flag = try? container.decode(Bool.self) {
        self = .flag(flag)
      } else if let number = try? container.decode(Double.self) {
        self = .number(number)
      } else {
        self = .text(try container.decode(String.self))
      }
    }

    var list: [Value] { if case .list(let list) = self { list } else { [] } }
    var number: Double { if case .number(let number) = self { number } else { .nan } }
    var text: String { if case .text(let text) = self { text } else { "" } }
    var flag: Bool { if case .flag(let flag) = self { flag } else { false } }
  }

  private struct VOCFile: Decodable {
    struct Case: Decodable {
      struct Expected: Decodable {
        struct Class: Decodable {
          var objects: Int
          var verdicts: [String]
          var elevenPoint: Double?
          var area: Double?
        }
        var classes: [String: Class]
        var meanElevenPoint: Double?
        var meanArea: Double?

        enum CodingKeys: String, CodingKey {
          case classes
          case meanElevenPoint = "mean.elevenPoint"
          case meanArea = "mean.area"
        }
      }
      var name: String
      var classes: [String]
      var truth: [Value]
      var detections: [Value]
      var expected: Expected
    }
    var cases: [Case]
  }

  /// Corners of pixels from 1, of which the last belongs to the box, as edges.
  private func edges(_ corners: [Value]) -> BoundingBox {
    let numbers = corners.map(\.number)
    return BoundingBox(
      left: numbers[0] - 1, top: numbers[1] - 1, right: numbers[2], bottom: numbers[3])
  }

  private func isSame(_ a: Double?, _ b: Double?) -> Bool {
    guard let a, let b else { return a == nil && b == nil }
    return abs(a - b) < 1e-9
  }

  @Test(
    "PASCAL VOC: verdicts, eleven points, area, means",
    .enabled(if: Golden.has("voc_ap.json"), "\(Shared.absent)"))
  func voc() throws {
    let cases = try Golden.json(VOCFile.self, "voc_ap.json").cases
    #expect(cases.count > 6)
    for entry in cases {
      var truth: [String: [TrueObject]] = [:]
      for image in entry.truth {
        truth[image.list[0].text] = try image.list[1].list.map { object in
          let fields = object.list
          return TrueObject(
            label: try #require(entry.classes.firstIndex(of: fields[4].text)),
            box: edges(Array(fields[..<4])), isDifficult: fields[5].flag)
        }
      }
      let found = try entry.detections.map { detection in
        let fields = detection.list
        return (
          image: fields[0].text,
          object: FoundObject(
            label: try #require(entry.classes.firstIndex(of: fields[1].text)),
            score: fields[2].number, box: edges(fields[3].list))
        )
      }
      for (label, name) in entry.classes.enumerated() {
        let expected = try #require(entry.expected.classes[name])
        let own = found.filter { $0.object.label == label }
        var verdicts = own.map { _ in DetectionVerdict.miss }
        for (image, objects) in truth {
          let places = own.indices.filter { own[$0].image == image }
          let answers = DetectionVerdict.verdicts(
            on: places.map { own[$0].object }, objects: objects.filter { $0.label == label })
          for (place, answer) in zip(places, answers) { verdicts[place] = answer }
        }
        let scores = own.map(\.object.score)
        #expect(verdicts.map { "\($0)" } == expected.verdicts, "\(entry.name): \(name)")
        let curve = PrecisionRecall(
          scores: scores, verdicts: verdicts, objects: expected.objects)
        #expect(isSame(curve.elevenPoint, expected.elevenPoint), "\(entry.name): \(name)")
        #expect(isSame(curve.area, expected.area), "\(entry.name): \(name)")
      }
      // The meter counts image by image; where scores are equal its order is another.
      let tied = Set(found.map(\.object.score)).count < found.count
      var whole = DetectionMeter(classNames: entry.classes)
      var parts = [whole, whole]
      for (place, image) in truth.keys.sorted().enumerated() {
        let own = found.filter { $0.image == image }.map(\.object)
        whole.add(own, objects: truth[image] ?? [])
        parts[place % 2].add(own, objects: truth[image] ?? [])
      }
      let scores = whole.scores()
      if !tied {
        #expect(isSame(scores["map"], entry.expected.meanArea), "\(entry.name)")
        #expect(isSame(scores["map11"], entry.expected.meanElevenPoint), "\(entry.name)")
        parts[0].merge(parts[1])
        for name in ["map", "map11", "coco"] {
          #expect(isSame(parts[0].scores()[name], scores[name]), "\(entry.name): \(name)")
        }
      }
      #expect(
        whole.details().classes.map(\.objects)
          == entry.classes.map { entry.expected.classes[$0]?.objects })
    }
  }

  private struct COCOFile: Decodable {
    struct Image: Decodable { var id: Int }
    struct Category: Decodable { var id: Int }
    struct Annotation: Decodable {
      var image_id: Int
      var category_id: Int
      var bbox: [Double]
      var area: Double
      var iscrowd: Int
    }
    struct Result: Decodable {
      var image_id: Int
      var category_id: Int
      var bbox: [Double]
      var score: Double
    }
    struct Expected: Decodable {
      struct Class: Decodable {
        var AP: Double?
        var AP50: Double?
      }
      var statistics: [String: Double?]
      var classes: [String: Class]
    }
    struct Case: Decodable {
      var name: String
      var images: [Value]
      var categories: [Value]
      var annotations: [Annotation]
      var detections: [Result]
      var expected: Expected
    }
    var cases: [Case]
  }

  @Test(
    "COCO: the twelve statistics, and each class's, with crowds, whoever counted which image",
    .enabled(if: Golden.has("coco_map.json"), "\(Shared.absent)"))
  func coco() throws {
    func box(_ sides: [Double]) -> BoundingBox {
      BoundingBox(
        left: sides[0], top: sides[1], right: sides[0] + sides[2], bottom: sides[1] + sides[3])
    }
    let cases = try Golden.json(COCOFile.self, "coco_map.json").cases
    #expect(cases.contains { $0.annotations.contains { $0.iscrowd == 1 } })
    for entry in cases {
      let ids = entry.categories.map { Int($0.number) }
      var meters = [DetectionMeter](
        repeating: DetectionMeter(classNames: ids.map { "\($0)" }), count: 2)
      for (place, image) in entry.images.map({ Int($0.number) }).enumerated() {
        let objects = try entry.annotations.filter { $0.image_id == image }.map {
          TrueObject(
            label: try #require(ids.firstIndex(of: $0.category_id)), box: box($0.bbox),
            isCrowd: $0.iscrowd == 1, area: $0.area)
        }
        let found = try entry.detections.filter { $0.image_id == image }.map {
          FoundObject(
            label: try #require(ids.firstIndex(of: $0.category_id)), score: $0.score,
            box: box($0.bbox))
        }
        meters[place < entry.images.count / 3 ? 0 : 1].add(found, objects: objects)
      }
      let data = try JSONEncoder().encode(meters[1])
      meters[0].merge(try JSONDecoder().decode(DetectionMeter.self, from: data))
      let details = meters[0].details()
      #expect(details.coco.named.count == 12 && entry.expected.statistics.count == 12)
      for (name, value) in details.coco.named {
        let expected = try #require(entry.expected.statistics[name])
        #expect(isSame(value, expected), "\(entry.name): \(name)")
      }
      for own in details.classes {
        let expected = try #require(entry.expected.classes[own.name])
        #expect(isSame(own.cocoAveragePrecision, expected.AP), "\(entry.name): \(own.name)")
        #expect(isSame(own.cocoAveragePrecision50, expected.AP50), "\(entry.name): \(own.name)")
      }
    }
  }

  @Test("2,000 objects in one image, all found; equal scores; scores that are no numbers come last")
  func crowded() throws {
    let boxes = (0..<2000).map { index in
      let (row, column) = index.quotientAndRemainder(dividingBy: 50)
      let (left, top) = (Double(column) * 10, Double(row) * 10)
      return BoundingBox(left: left, top: top, right: left + 8, bottom: top + 8)
    }
    let objects = boxes.map { TrueObject(label: 0, box: $0) }
    var meter = DetectionMeter(classNames: ["cell", "other"])
    meter.add(boxes.map { FoundObject(label: 0, score: 0.5, box: $0) }, objects: objects)
    for name in ["map", "map11"] { #expect(isClose(try #require(meter.scores()[name]), 1)) }
    // A miss that has no score counts after all hits.
    var strange = DetectionMeter(classNames: ["cell"])
    let away = BoundingBox(left: 900, top: 900, right: 910, bottom: 910)
    strange.add(
      [FoundObject(label: 0, score: .nan, box: away)]
        + boxes.map { FoundObject(label: 0, score: 0.5, box: $0) }, objects: objects)
    #expect(isClose(try #require(strange.scores()["map"]), 1))
  }

  @Test("a curve by hand: precision falls as recall rises; the best score is that of greatest F1")
  func curve() {
    let curve = PrecisionRecall(
      scores: [0.2, 0.9, 0.5, 0.5, 0.1], verdicts: [.hit, .hit, .miss, .ignored, .miss],
      objects: 4)
    #expect(curve.scores == [0.9, 0.5, 0.2, 0.1])
    #expect(curve.recalls == [0.25, 0.25, 0.5, 0.5])
    #expect(curve.precisions == [1, 0.5, 2 / 3.0, 0.5])
    #expect(curve.precision(atRecall: 0.25) == 1 && curve.precision(atRecall: 0.26) == 2 / 3.0)
    #expect(curve.precision(atRecall: 0.6) == 0)
    #expect(curve.curve(intervals: 4) == [1, 1, 2 / 3.0, 0, 0])
    #expect(curve.area == 0.25 + 0.25 * 2 / 3)
    #expect(curve.best?.score == 0.2)
    #expect(PrecisionRecall(scores: [1], verdicts: [.miss], objects: 0).area == nil)
    #expect(PrecisionRecall(scores: [], verdicts: [], objects: 2).area == 0)
    #expect(PrecisionRecall(scores: [], verdicts: [], objects: 2).best == nil)
  }
}
