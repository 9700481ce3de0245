// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXTasks
import MUXTestSupport
import MUXVision
import Testing

/// What a public detector found on 1,000 photographs, counted by PASCAL VOC's rules: annotations, difficult
/// objects and boxes as they really come.
@Suite(
  "A public detector's boxes have the scores that others count", .tags(.processes), .endsSometime)
struct RealDetectionTests {
  private static let name = "reference/pretrained/voc2012val_yolo_nano"
  private static let archive = "data/voc-subset.tar.gz"
  private static let isPresent =
    Shared.has("\(name)_map.json") && Shared.has("\(name)_detections.json") && Shared.has(archive)

  private struct Found: Decodable {
    var image: String
    var `class`: String
    var score: Double
    var box: [Double]
  }

  private struct Expected: Decodable {
    struct Class: Decodable {
      var npos: Int
      var ndet: Int
      var ap07: Double
      var ap: Double
    }
    var images: Int
    var map07: Double
    var map_area: Double
    var per_class: [String: Class]
  }

  private func json<Value: Decodable>(_ type: Value.Type, _ part: String) throws -> Value {
    let data = try Data(contentsOf: URL(filePath: Shared.path("\(Self.name)_\(part).json")))
    return try JSONDecoder().decode(type, from: data)
  }

  @Test("VOC's validation images", .enabled(if: isPresent, "\(Shared.absent)"))
  func voc() throws {
    let folder = try TemporaryFolder()
    let unpacking = Process()
    unpacking.executableURL = URL(filePath: "/usr/bin/env")
    unpacking.arguments = [
      "tar", "xzf", Shared.path(Self.archive), "-C", folder.path, "voc-pack/VOC2012/Annotations",
      "voc-pack/VOC2012/ImageSets",
    ]
    try unpacking.run()
    unpacking.waitUntilExit()
    try #require(unpacking.terminationStatus == 0)
    let data = try BoxDataSet.voc(
      path: folder("voc-pack/VOC2012"), part: "val", classNames: BoxDataSet.vocClasses)
    let found = Dictionary(grouping: try json([Found].self, "detections"), by: \.image)
    let expected = try json(Expected.self, "map")
    #expect(data.count == expected.images)

    var meter = DetectionMeter(classNames: data.classNames)
    for index in 0..<data.count {
      guard case .boxes(let boxes) = data.target(at: index) else { continue }
      let identifier = URL(filePath: data.name(at: index)).deletingPathExtension().lastPathComponent
      // Corners are numbers of pixels from 1, and the last one belongs to the box.
      let objects = try (found[identifier] ?? []).map { object in
        FoundObject(
          label: try #require(data.classNames.firstIndex(of: object.class)), score: object.score,
          box: BoundingBox(
            left: object.box[0] - 1, top: object.box[1] - 1, right: object.box[2],
            bottom: object.box[3]))
      }
      meter.add(
        objects,
        objects: boxes.map { box in
          TrueObject(
            label: box.label,
            box: BoundingBox(left: box.left, top: box.top, right: box.right, bottom: box.bottom),
            isDifficult: box.isDifficult)
        })
    }
    for own in meter.details().classes {
      guard let other = expected.per_class[own.name] else {
        #expect(own.objects == 0, "\(own.name)")
        continue
      }
      #expect(own.objects == other.npos, "\(own.name)")
      #expect(own.detections == other.ndet, "\(own.name)")
      #expect(abs((own.averagePrecision ?? .nan) - other.ap) < 1e-9, "\(own.name)")
      #expect(abs((own.elevenPoint ?? .nan) - other.ap07) < 1e-9, "\(own.name)")
    }
    #expect(abs(try #require(meter.scores()["map"]) - expected.map_area) < 1e-9)
    #expect(abs(try #require(meter.scores()["map11"]) - expected.map07) < 1e-9)
  }
}
