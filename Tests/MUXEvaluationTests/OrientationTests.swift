// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXEvaluation
import MUXImages
import MUXVision
import Testing

@Suite("Orientation of photographs") struct OrientationTests {
  /// A picture of 13×9 that is stored as a camera does that was turned by a quarter.
  private static let photo = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
    .appendingPathComponent("MUXVisionTests/Fixtures/images/exif6_little.png")

  private func folder() throws -> String {
    let root = FileManager.default.temporaryDirectory.appending(path: "photos-\(UUID().uuidString)")
    for name in ["train/a", "train/b", "val/a", "val/b"] {
      let place = root.appending(path: name)
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      try FileManager.default.copyItem(at: Self.photo, to: place.appending(path: "1.png"))
    }
    return root.path(percentEncoded: false)
  }

  @Test("folders are upright unless data.orientation says ignored", arguments: [nil, "ignored"])
  func folders(setting: String?) throws {
    let path = try folder()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let text =
      setting.map { #""path": "\#(path)", "orientation": "\#($0)""# } ?? #""path": "\#(path)""#
    let data = try JSONDecoder().decode(DataConfiguration.self, from: Data("{\(text)}".utf8))
    #expect(data.orientation == (setting == nil ? .applied : .ignored))
    for part in [DataPart.training, .validation] {
      let image = try data.open(part).image(at: 0)
      #expect((image.width, image.height) == (setting == nil ? (9, 13) : (13, 9)))
    }
  }

  @Test("a pipeline of earlier weights, which says nothing, turns pictures upright")
  func earlier() throws {
    let text = #"{"mean": [0.5], "standardDeviation": [0.5]}"#
    let pipeline = try JSONDecoder().decode(ImagePipeline.self, from: Data(text.utf8))
    #expect(pipeline.orientation == .applied)
    let again = try JSONDecoder().decode(
      ImagePipeline.self, from: JSONEncoder().encode(pipeline))
    #expect(again == pipeline)
  }
}
