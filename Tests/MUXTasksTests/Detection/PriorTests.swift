// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXTasks
import MUXTestSupport
import Testing

@Suite("Default boxes of detectors")
struct PriorTests {
  private struct Layouts: Decodable {
    struct Case: Decodable {
      struct Map: Decodable {
        var side: Int
        var step: Double
        var minimum: Double
        var maximum: Double
        var ratios: [Double]
        var boxes: Int
      }
      var name: String
      var imageSize: Int
      var clip: Bool
      var maps: [Map]
      var count: Int
      var sum: [Double]
      var sha256OfLittleEndianFloat32: String
      var rows: [String: [Double]]

      var layout: PriorLayout {
        PriorLayout(
          imageSize: ImageSize(imageSize), clipping: clip ? .centersAndSides : .none,
          maps: maps.map {
            .init(
              size: ImageSize($0.side), step: $0.step, minimum: $0.minimum, maximum: $0.maximum,
              ratios: $0.ratios)
          })
      }
    }
    var cases: [Case]
  }

  private func bytes(_ boxes: PriorBoxes) -> [UInt8] {
    boxes.rows.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
  }

  @Test("the hash of these tests is SHA-256")
  func hash() {
    #expect(
      sha256(Array("abc".utf8))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }

  @Test(
    "they are those of the public detectors, bit for bit",
    .enabled(if: Golden.has("priors.json"), "\(Shared.absent)"))
  func golden() throws {
    let cases = try Golden.json(Layouts.self, "priors.json").cases
    #expect(cases.count >= 5)
    for entry in cases {
      let layout = entry.layout
      let boxes = layout.boxes
      #expect(layout.maps.map(\.boxesPerPosition) == entry.maps.map(\.boxes), "\(entry.name)")
      #expect(boxes.count == entry.count && layout.count == entry.count, "\(entry.name)")
      #expect(sha256(bytes(boxes)) == entry.sha256OfLittleEndianFloat32, "\(entry.name)")
      for (row, values) in entry.rows {
        let start = try 4 * #require(Int(row))
        #expect(zip(boxes.rows[start..<start + 4], values).allSatisfy { $0 == Float($1) })
      }
    }
    func named(_ name: String) throws -> PriorLayout {
      try #require(cases.first { $0.name == name }).layout
    }
    #expect(try named("mobile_300") == .mobile300)
    #expect(try named("vgg16_300_voc") == .vgg300VOC)
  }

  @Test(
    "torchvision's SSDLite has centres outside the image",
    .enabled(if: Golden.has("priors.safetensors"), "\(Shared.absent)"))
  func torchvision() throws {
    let expected = try #require(
      Golden.tensors("priors.safetensors")["torchvision_ssdlite_320"]
    ).floats
    let rows = PriorLayout.torchvisionSSDLite320.boxes.rows
    #expect(rows.count == expected.count)
    for (own, other) in zip(rows, expected) { #expect(isClose(Double(own), Double(other), 1e-6)) }
  }

  @Test("settings read back; what makes no sense is refused; ratios have defaults")
  func settings() throws {
    let layout = PriorLayout.vgg300VOC
    let copy = try JSONDecoder().decode(PriorLayout.self, from: JSONEncoder().encode(layout))
    #expect(copy == layout)
    func read(_ text: String) throws -> PriorLayout {
      try JSONDecoder().decode(PriorLayout.self, from: Data(text.utf8))
    }
    let short = try read(
      #"{"imageSize":64,"maps":[{"size":[4,8],"step":8,"minimum":10,"maximum":20}]}"#)
    #expect(short.count == 4 * 8 * 6 && short.clipping == .centersAndSides)
    for bad in [
      #"{"imageSize":64,"maps":[]}"#,
      #"{"imageSize":64,"maps":[{"size":4,"step":0,"minimum":10,"maximum":20}]}"#,
      #"{"imageSize":64,"maps":[{"size":4,"step":8,"minimum":-1,"maximum":20}]}"#,
      #"{"imageSize":64,"maps":[{"size":4,"steps":8,"minimum":1,"maximum":20}]}"#,
      #"{"imageSize":64,"maps":[{"size":4000,"step":8,"minimum":1,"maximum":20}]}"#,
    ] {
      #expect(throws: DecodingError.self) { try read(bad) }
    }
  }

  @Test("a detector of other maps gets boxes that cover it, one of the public ones its own")
  func usual() throws {
    let known = PriorLayout.vgg300VOC
    let same = PriorLayout.usual(
      maps: known.maps.map { ($0.size, $0.boxesPerPosition) }, imageSize: 300)
    #expect(same == known)
    let other = try #require(
      PriorLayout.usual(maps: [(ImageSize(8), 4), (ImageSize(4), 6)], imageSize: 64))
    #expect(other.count == 8 * 8 * 4 + 4 * 4 * 6)
    #expect(other.maps[0].minimum == 0.2 * 64 && other.maps[1].maximum == 64)
    let edges = (0..<other.count).map { other.boxes[$0] }
    #expect(edges.contains { $0.left < 0.1 } && edges.contains { $0.right > 0.9 })
    #expect(PriorLayout.usual(maps: [(ImageSize(8), 5)], imageSize: 64) == nil)
  }

  @Test(
    "boxes as offsets and back",
    .enabled(if: Golden.has("box_coding.safetensors"), "\(Shared.absent)"))
  func coding() throws {
    let file = try Golden.tensors("box_coding.safetensors")
    func values(_ name: String) throws -> [Float] { try #require(file[name]).floats }
    let priors = PriorBoxes(rows: try values("priors"))
    let (boxes, encoded) = (try values("boxes"), try values("encoded"))
    let offsets = try values("offsets")
    for (name, coding) in [
      ("decoded", BoxCoding()),
      // torchvision's limit: a box is at most 62.5 times as wide as its default box.
      ("decoded_with_limited_exponent", BoxCoding(limit: log(1000.0 / 16))),
    ] {
      let expected = try values(name)
      for index in 0..<priors.count {
        let row = 4 * index
        let box = coding.decoded(
          (offsets[row], offsets[row + 1], offsets[row + 2], offsets[row + 3]), from: priors, index)
        for (own, other) in zip(box.edges, expected[row..<row + 4]) {
          #expect(isClose(Float(own).isFinite ? own : .infinity, Double(other), 1e-4), "\(name)")
        }
      }
    }
    for index in 0..<priors.count {
      let own = BoxCoding().encoded(
        BoundingBox(boxes[4 * index..<4 * index + 4]), from: priors, index)
      for (value, other) in zip(own, encoded[4 * index..<4 * index + 4]) {
        #expect(isClose(value, Double(other), 1e-4))
      }
    }
  }
}
