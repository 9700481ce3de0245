// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTasks
import MUXTestSupport
import Testing

@Suite("From a detector's outputs to boxes")
struct DetectionDecoderTests {
  private struct Suppressions: Decodable {
    struct Case: Decodable {
      var name: String
      var boxes: [[Double]]
      var scores: [Float]
      var threshold: Double
      var kept: [Int]
    }
    var cases: [Case]
  }

  @Test(
    "non-maximum suppression keeps what public code keeps",
    .enabled(if: Golden.has("nms.json"), "\(Shared.absent)"))
  func suppression() throws {
    let cases = try Golden.json(Suppressions.self, "nms.json").cases
    #expect(cases.count > 5)
    for entry in cases {
      // Default boxes that are not moved, and logits that give the scores.
      let rows = entry.boxes.flatMap { box in
        [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]]
      }
      let count = entry.boxes.count
      let decoder = DetectionDecoder(
        priors: PriorBoxes(rows: rows.map { Float($0) }), maps: [(count, 1)], classes: 2)
      let values =
        [Float](repeating: 0, count: count)
        + entry.scores.map { logf($0 / (1 - $0)) } + [Float](repeating: 0, count: 4 * count)
      let kept = decoder.boxes(
        values[...],
        limits: DetectionLimits(
          score: 0, overlap: entry.threshold, candidatesPerClass: .max, boxesPerImage: .max))
      #expect(kept.map(\.prior) == entry.kept, "\(entry.name)")
    }
  }

  private struct Settings: Decodable {
    var minimumScore: Double
    var candidatesPerClass: Int
    var suppressionIoU: Double
    var keepPerImage: Int
  }

  /// Rows [default boxes, values] as outputs of maps of several sizes have them.
  private func outputs(
    logits: [Float], offsets: [Float], classes: Int, maps: [(positions: Int, boxes: Int)]
  ) -> [Float] {
    var values: [Float] = []
    for (rows, width) in [(logits, classes), (offsets, 4)] {
      var first = 0
      for map in maps {
        for box in 0..<map.boxes {
          for value in 0..<width {
            for position in 0..<map.positions {
              values.append(rows[(first + position * map.boxes + box) * width + value])
            }
          }
        }
        first += map.positions * map.boxes
      }
    }
    return values
  }

  @Test(
    "boxes, classes and scores of random outputs are those of public code, however maps divide them",
    .enabled(if: Golden.has("postprocess.safetensors"), "\(Shared.absent)"))
  func golden() throws {
    let file = try Golden.tensors("postprocess.safetensors")
    let settings = try JSONDecoder().decode(
      Settings.self, from: Data(try #require(file.metadata["settings"]).utf8))
    func floats(_ name: String) throws -> [Float] { try #require(file[name]).floats }
    func integers(_ name: String) throws -> [Int64] { try #require(file[name]).integers }
    let priors = PriorBoxes(rows: try floats("priors"))
    let logits = try #require(file["logits"])
    let (classes, offsets) = (logits.shape[1], try floats("offsets"))
    let limits = DetectionLimits(
      score: settings.minimumScore, overlap: settings.suppressionIoU,
      candidatesPerClass: settings.candidatesPerClass, boxesPerImage: settings.keepPerImage)
    for maps in [
      [(positions: 3000, boxes: 1)],
      [(361, 6), (100, 6), (25, 6), (9, 6), (4, 6), (1, 6)],
    ] as [[(positions: Int, boxes: Int)]] {
      let decoder = DetectionDecoder(
        priors: priors, maps: maps.map { ($0.positions, $0.boxes) }, classes: classes)
      let values = outputs(
        logits: logits.floats, offsets: offsets, classes: classes, maps: maps)
      let boxes = decoder.boxes(values[...], limits: limits)
      #expect(boxes.map { Int64($0.prior) } == (try integers("default_boxes")))
      let labels = try integers("labels")
      // The file counts the background.
      #expect(boxes.map { Int64($0.label + 1) } == labels)
      let edges = try floats("boxes"), scores = try floats("scores")
      for (index, box) in boxes.enumerated() {
        #expect(isClose(Double(box.score), Double(scores[index])))
        for place in 0..<4 {
          #expect(isClose(box.box.edges[place], Double(edges[4 * index + place])))
        }
      }
      var unlimited = limits
      unlimited.boxesPerImage = .max
      let all = decoder.boxes(values[...], limits: unlimited)
      #expect("\(all.count)" == file.metadata["detectionsWithoutLimit"])
      #expect(Array(all.prefix(boxes.count)) == boxes)
    }
  }

  private func decoder(_ layout: PriorLayout, classes: Int) -> DetectionDecoder {
    DetectionDecoder(
      priors: layout.boxes,
      maps: layout.maps.map { ($0.size.width * $0.size.height, $0.boxesPerPosition) },
      classes: classes)
  }

  @Test("equal scores everywhere: the lower class and default box first; no numbers, no boxes")
  func edges() {
    let decoder = decoder(.mobile300, classes: 21)
    var values = [Float](repeating: 0, count: decoder.valueCount)
    var limits = DetectionLimits(boxesPerImage: 50)
    let equal = decoder.boxes(values[...], limits: limits)
    #expect(equal.count == 50)
    #expect(equal.allSatisfy { $0.score == 1 / 21.0 as Float && $0.label == 0 })
    #expect(equal.map(\.prior) == equal.map(\.prior).sorted())
    limits.score = 0.05
    #expect(decoder.boxes(values[...], limits: limits).isEmpty)
    values = values.map { _ in .nan }
    #expect(decoder.boxes(values[...], limits: DetectionLimits(score: 0)).isEmpty)
    limits.candidatesPerClass = 0
    #expect(
      decoder.boxes([Float](repeating: 0, count: values.count)[...], limits: limits).isEmpty)
  }

  @Test("single logits and offsets that are no numbers take no other boxes with them")
  func notNumbers() {
    let layout = PriorLayout(
      imageSize: 64, maps: [.init(size: 4, step: 16, minimum: 12, maximum: 20)])
    let decoder = decoder(layout, classes: 3)
    // The first class is certain everywhere.
    var values = [Float](repeating: 0, count: decoder.valueCount)
    for index in 0..<decoder.priors.count {
      let (position, box) = index.quotientAndRemainder(dividingBy: 6)
      values[box * 3 * 16 + 16 + position] = 9
    }
    let limits = DetectionLimits(score: 0.5, overlap: 1, boxesPerImage: .max)
    #expect(decoder.boxes(values[...], limits: limits).count == decoder.priors.count)
    var broken = values
    for place in [0, 16, 32] { broken[place] = .nan }
    let left = decoder.boxes(broken[...], limits: limits)
    #expect(left.count == decoder.priors.count - 1 && !left.contains { $0.prior == 0 })
    // Offsets of the second position: where the box is, or how large, is not known.
    let offsets = decoder.priors.count * 3
    for place in [offsets + 1, offsets + 2 * 16 + 2] {
      broken = values
      broken[place] = .nan
      let found = decoder.boxes(broken[...], limits: limits)
      let strange = found.filter { !$0.box.width.isFinite || !$0.box.left.isFinite }
      #expect(found.count == decoder.priors.count && strange.count == 1)
    }
  }

  @Test("the best candidates of a class are those that sorting all of them gives")
  func selection() {
    let decoder = decoder(
      PriorLayout(
        imageSize: 64,
        maps: [.init(size: 16, step: 4, minimum: 6, maximum: 12)]), classes: 3)
    // Scores with ties, as far from each other that nothing is suppressed.
    var values = [Float](repeating: 0, count: decoder.valueCount)
    var state: UInt32 = 1
    for index in 0..<(16 * 16 * 6 * 3) {
      state = state &* 1_664_525 &+ 1_013_904_223
      values[index] = Float(state >> 24) / 40
    }
    for limit in [1, 7, 400, 1535, 1536, 9999] {
      let some = decoder.boxes(
        values[...],
        limits: DetectionLimits(
          score: 0, overlap: 2, candidatesPerClass: limit, boxesPerImage: .max))
      let all = decoder.boxes(
        values[...],
        limits: DetectionLimits(
          score: 0, overlap: 2, candidatesPerClass: .max, boxesPerImage: .max))
      for label in 0..<2 {
        let best = all.filter { $0.label == label }.prefix(limit)
        #expect(some.filter { $0.label == label } == Array(best))
      }
    }
  }
}
