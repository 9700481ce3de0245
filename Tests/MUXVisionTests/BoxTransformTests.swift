// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXImages
import MUXTestSupport
import MUXVision
import Testing

@Suite("Transforms that move boxes")
struct BoxTransformTests {
  private static let boxesFile = "reference/tasks/augmentation_boxes.json"
  private static let coloursFile = "reference/tasks/photometric.json"

  private struct Boxes: Decodable {
    struct Case: Decodable {
      struct Crop: Decodable {
        var rectangle: [Int]
        var kept: [Int]
        var boxes: [[Double]]
        var iouOfEachBoxWithRectangle: [Double]
      }
      struct Expansion: Decodable {
        var left: Int
        var top: Int
        var width: Int
        var height: Int
        var boxes: [[Double]]
      }
      struct Mirror: Decodable { var boxes: [[Double]] }
      var name: String
      var width: Int
      var height: Int
      var boxes: [[Double]]
      var crop: Crop
      var expand: Expansion
      var mirror: Mirror
    }
    var cases: [Case]
  }

  private func box(_ edges: [Double], label: Int = 0) -> LabeledBox {
    LabeledBox(label: label, left: edges[0], top: edges[1], right: edges[2], bottom: edges[3])
  }

  private func isSame(_ boxes: [LabeledBox], _ edges: [[Double]]) -> Bool {
    boxes.count == edges.count
      && zip(boxes, edges).allSatisfy { box, edges in
        zip([box.left, box.top, box.right, box.bottom], edges).allSatisfy { abs($0 - $1) < 1e-6 }
      }
  }

  private func stream(_ index: Int) -> RandomStream {
    ImagePipeline.stream(seed: 5, epoch: 0, index: index)
  }

  @Test(
    "crops keep the boxes whose centre they show, expansion and mirror move all of them",
    .enabled(if: Shared.has(boxesFile), "\(Shared.absent)"))
  func boxes() throws {
    let data = try Data(contentsOf: URL(filePath: Shared.path(Self.boxesFile)))
    let cases = try JSONDecoder().decode(Boxes.self, from: data).cases
    #expect(cases.count > 3)
    for entry in cases {
      let boxes = entry.boxes.enumerated().map { box($1, label: $0) }
      let corners = entry.crop.rectangle
      let part = PixelRectangle(
        x: corners[0], y: corners[1], width: corners[2] - corners[0],
        height: corners[3] - corners[1])
      let kept = OverlapCrop.objects(boxes, in: part)
      #expect(kept.map(\.label) == entry.crop.kept, "\(entry.name)")
      #expect(isSame(kept, entry.crop.boxes), "\(entry.name)")
      for (box, overlap) in zip(boxes, entry.crop.iouOfEachBoxWithRectangle) {
        #expect(abs(OverlapCrop.overlap(box, part) - overlap) < 1e-9, "\(entry.name)")
      }
      let image = Image(width: entry.width, height: entry.height, color: [1, 2, 3])
      var mirrored = Sample(image: image, target: .boxes(boxes))
      var random = stream(0)
      try ImageTransform.horizontalFlip(probability: 1).apply(to: &mirrored, random: &random)
      guard case .boxes(let own) = mirrored.target else { continue }
      #expect(isSame(own, entry.mirror.boxes), "\(entry.name)")
      // What is drawn differs from the file's; where the image stands tells where its boxes are.
      var expanded = Sample(image: image, target: .boxes(boxes))
      try ImageTransform.randomExpansion(RandomExpansion(probability: 1, fill: [9, 9, 9])).apply(
        to: &expanded, random: &random)
      guard case .boxes(let moved) = expanded.target else { continue }
      let first = try #require(expanded.image.pixels.firstIndex(of: 1)) / 3
      let (y, x) = first.quotientAndRemainder(dividingBy: expanded.image.width)
      let file = entry.expand
      #expect(
        isSame(
          moved,
          file.boxes.map {
            [
              $0[0] - Double(file.left - x), $0[1] - Double(file.top - y),
              $0[2] - Double(file.left - x), $0[3] - Double(file.top - y),
            ]
          }), "\(entry.name)")
    }
  }

  private struct Colours: Decodable {
    struct Case: Decodable {
      var name: String
      var image: [[[Float]]]
      var brightness: Float
      var contrast: Float
      var saturation: Float
      var hueDegrees: Float
      var contrastFirst: Bool
      var channelOrder: [Int]
      var clipped: [[[Float]]]
    }
    var cases: [Case]
  }

  @Test(
    "distorted colours are those of the original code, which keeps them within bounds",
    .enabled(if: Shared.has(coloursFile), "\(Shared.absent)"))
  func colours() throws {
    let data = try Data(contentsOf: URL(filePath: Shared.path(Self.coloursFile)))
    for entry in try JSONDecoder().decode(Colours.self, from: data).cases {
      var change = PhotometricDistortion.Change()
      change.brightness = entry.brightness
      change.contrast = entry.contrast
      change.isContrastFirst = entry.contrastFirst
      change.saturation = entry.saturation
      change.hueDegrees = entry.hueDegrees
      change.channelOrder = entry.channelOrder
      for (row, expected) in zip(entry.image.joined(), entry.clipped.joined()) {
        let own = change.apply(to: (row[0], row[1], row[2]))
        for (value, other) in zip([own.0, own.1, own.2], expected) {
          #expect(abs(value - other) < 1e-3 * 255 / 100, "\(entry.name): \(own), \(expected)")
        }
      }
    }
  }

  @Test("a part that is cut out overlaps some object as much as it should, and shows one")
  func overlap() {
    let boxes = [box([10, 10, 60, 70], label: 1), box([120, 30, 150, 50], label: 2)]
    var (whole, parts, unbounded) = (0, 0, 0)
    for index in 0..<400 {
      var random = stream(index)
      let crop = OverlapCrop(overlaps: [0.5])
      guard
        let part = crop.part(
          of: ImageSize(height: 100, width: 200), objects: boxes, random: &random)
      else {
        whole += 1
        continue
      }
      parts += 1
      #expect(!OverlapCrop.objects(boxes, in: part).isEmpty)
      #expect(part.x + part.width <= 200 && part.y + part.height <= 100)
      let aspect = Double(part.height) / Double(part.width)
      #expect(aspect > 0.45 && aspect < 2.2)
      if !boxes.contains(where: { OverlapCrop.overlap($0, part) >= 0.5 }) { unbounded += 1 }
    }
    // A third each: the whole image, the bound, no bound. Few parts reach one half by chance, so the bound
    // is drawn again more often than not.
    #expect(whole > 100 && parts > 100 && unbounded > 0 && unbounded < parts)
    var random = stream(1)
    #expect(OverlapCrop().part(of: 64, objects: [], random: &random) == nil)
  }

  @Test("the published rule cuts where the intended one does not")
  func published() {
    let boxes = [box([1, 1, 3, 3])]
    var counts = [0, 0]
    for index in 0..<200 {
      for (place, rule) in [OverlapCrop.Rule.someObject, .asPublished].enumerated() {
        var random = stream(index)
        let crop = OverlapCrop(rule: rule, overlaps: [0.9])
        if crop.part(of: 100, objects: boxes, random: &random) != nil { counts[place] += 1 }
      }
    }
    #expect(counts[1] > counts[0])
  }

  @Test(
    "images of 1×1 and 1×3000 pixels go through all steps for boxes",
    arguments: [(1, 1), (3000, 1), (1, 3000)])
  func extremes(height: Int, width: Int) throws {
    let size = ImageSize(height: height, width: width)
    let steps: [ImageTransform] = [
      .photometricDistortion(PhotometricDistortion(probability: 1, permutation: 1)),
      .randomExpansion(RandomExpansion(probability: 1, largest: 4, fill: [1, 2, 3])),
      .overlapCrop(OverlapCrop()), .resize(Resize(size: 32)), .horizontalFlip(probability: 1),
    ]
    let image = Image(width: size.width, height: size.height, color: [200, 100, 50])
    let whole = box([0, 0, Double(size.width), Double(size.height)])
    for index in 0..<40 {
      for boxes in [[whole], []] {
        var sample = Sample(image: image, target: .boxes(boxes))
        var random = stream(index)
        for step in steps { try step.apply(to: &sample, random: &random) }
        #expect(sample.image.size == 32)
        guard case .boxes(let moved) = sample.target else {
          throw ImageError.unknownFormat(name: "")
        }
        // What is left of a box lies in the image, and has an area.
        #expect(moved.count <= boxes.count)
        for box in moved {
          #expect(box.left >= 0 && box.right <= 32 && box.top >= 0 && box.bottom <= 32)
          #expect(box.left < box.right && box.top < box.bottom)
        }
      }
    }
  }

  @Test("a letterbox keeps the aspect; boxes are where the things are, and back")
  func letterbox() throws {
    let image = Image(width: 80, height: 40, color: [200, 100, 50])
    var sample = Sample(image: image, target: .boxes([box([20, 10, 60, 30])]))
    let step = ImageTransform.letterbox(Letterbox(size: 32, fill: [1, 2, 3]))
    var random = stream(0)
    try step.apply(to: &sample, random: &random)
    #expect(sample.image.size == 32)
    #expect(sample.image[0, 7, 0] == 1 && sample.image[0, 8, 0] == 200)
    #expect(sample.image[31, 23, 1] == 100 && sample.image[31, 24, 2] == 3)
    #expect(sample.target == .boxes([box([8, 12, 24, 20])]))
    let pipeline = ImagePipeline(
      transforms: [step], mean: [0, 0, 0], standardDeviation: [1, 1, 1])
    #expect(pipeline.outputSize == 32)
    let back = try #require(pipeline.motion(of: image.size)).inverse
    let original = try #require(back.apply(to: box([8, 12, 24, 20]), in: image.size))
    #expect(isSame([original], [[20, 10, 60, 30]]))
    let copy = try JSONDecoder().decode(
      ImagePipeline.self, from: JSONEncoder().encode(pipeline))
    #expect(copy == pipeline)
    for size in [ImageSize(height: 3000, width: 1), ImageSize(1)] {
      let strip = Image(width: size.width, height: size.height, color: [5, 5, 5])
      #expect(Letterbox(size: 32).apply(to: strip).size == 32)
    }
  }

  @Test("steps for boxes read back, by name alone where all settings have defaults")
  func coding() throws {
    for step in [
      ImageTransform.photometricDistortion(PhotometricDistortion(hue: 9)),
      .randomExpansion(RandomExpansion(largest: 3, fill: [7])),
      .overlapCrop(OverlapCrop(rule: .asPublished, overlaps: [0.2])),
      .letterbox(Letterbox(size: 40)),
    ] {
      let data = try JSONEncoder().encode([step])
      #expect(try JSONDecoder().decode([ImageTransform].self, from: data) == [step])
    }
    let names = #"["photometricDistortion", "randomExpansion", "overlapCrop"]"#
    let steps = try JSONDecoder().decode([ImageTransform].self, from: Data(names.utf8))
    #expect(steps.allSatisfy { $0.isRandom } && steps.count == 3)
    for bad in [
      #"[{"letterbox":{}}]"#, #"[{"overlapCrop":{"overlaps":[2]}}]"#,
      #"[{"randomExpansion":{"largest":0.5}}]"#, #"["letterbox"]"#,
      #"[{"photometricDistortion":{"hue":-1}}]"#,
    ] {
      #expect(throws: DecodingError.self) {
        try JSONDecoder().decode([ImageTransform].self, from: Data(bad.utf8))
      }
    }
  }

  private struct Pictures: ImageDataSet {
    var count: Int { 3 }
    var classNames: [String] { ["a"] }
    func target(at index: Int) -> Target {
      .boxes([LabeledBox(label: 0, left: 10, top: 10, right: 40, bottom: 30)])
    }
    func name(at index: Int) -> String { "picture \(index)" }
    func image(at index: Int) throws -> Image {
      Image(width: 80 + 20 * index, height: 40, color: [UInt8(index), 2, 3])
    }
  }

  @Test("images that are kept prepared have their boxes where they are, whether they fit or not")
  func cached() throws {
    let pipeline = ImagePipeline(
      transforms: [.resize(Resize(size: 20)), .horizontalFlip(probability: 0.5)],
      mean: [0, 0, 0], standardDeviation: [1, 1, 1])
    let settings = LoaderSettings(batchSize: 3, seed: 4, workers: 0)
    let plain = try DataLoader(Pictures(), pipeline: pipeline, settings: settings)
    let expected = try plain.batch(epoch: 0, index: 0)
    #expect(expected.targets[0].kind == .boxes && expected.originalSizes[2].width == 120)
    for limit in [0, 2000, 1 << 20] {
      let kept = try CachedDataSet(
        Pictures(), memoryLimit: limit, preparation: pipeline.preparation.fixed, threads: 1)
      let subset = DataSubset(kept, indices: [0, 1, 2])
      for data in [kept, subset] as [any ImageDataSet] {
        let loader = try DataLoader(
          data, pipeline: pipeline.preparation.rest, settings: settings)
        #expect(try loader.batch(epoch: 0, index: 0) == expected, "\(limit) bytes")
        #expect(loader.wholePipeline == pipeline)
        for index in 0..<3 {
          let sample = try data.sample(at: index)
          #expect(try data.image(at: index) == sample.image)
          // 80, 100 and 120 pixels wide, 40 high, made 20 by 20.
          let scale = 20 / Double(80 + 20 * index)
          #expect(
            data.target(at: index)
              == .boxes([
                LabeledBox(label: 0, left: scale * 10, top: 5, right: scale * 40, bottom: 15)
              ]))
          #expect(data.target(at: index) == sample.target, "\(limit) bytes")
          #expect(data.storedSize(at: index) == sample.originalSize)
          #expect(data.stratum(at: index) == 0)
        }
      }
    }
  }
}
