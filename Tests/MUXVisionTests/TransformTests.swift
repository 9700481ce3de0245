// SPDX-License-Identifier: Apache-2.0

import Foundation
import MUXCore
import MUXImages
import MUXVision
import Testing

@Suite struct TransformTests {
  private func stream(_ index: Int = 0) -> RandomStream {
    ImagePipeline.stream(seed: 11, epoch: 0, index: index)
  }

  @Test("a random crop is a window of the padded image, at every place equally often")
  func randomCrop() throws {
    // Pixel values tell their place: 16 columns, 16 rows.
    let image = Image(width: 6, height: 6, channels: 1, pixels: (0..<36).map { UInt8($0 + 1) })
    let crop = RandomCrop(size: 6, padding: 1)
    var places: [Int: Int] = [:]
    for index in 0..<900 {
      var random = stream(index)
      let result = try crop.apply(to: image, random: &random)
      #expect(result.width == 6 && result.height == 6)
      // The second pixel of the second row is always inside; it tells the shift.
      let value = Int(result[1, 1, 0]) - 1
      let (x, y) = (value % 6 - 1, value / 6 - 1)
      places[y * 10 + x, default: 0] += 1
      for row in 0..<6 {
        for column in 0..<6 {
          let inside = (0..<6).contains(column + x) && (0..<6).contains(row + y)
          #expect(
            result[column, row, 0] == (inside ? image[column + x, row + y, 0] : 0))
        }
      }
    }
    #expect(places.count == 9)
    #expect(places.values.allSatisfy { (60...140).contains($0) })
  }

  @Test(
    "random resized crops keep area and aspect within their ranges, and fall back to the centre")
  func randomResizedCrop() {
    let crop = RandomResizedCrop(size: 8)
    var areas: [Double] = []
    for index in 0..<2_000 {
      var random = stream(index)
      let part = crop.rectangle(width: 100, height: 80, random: &random)
      #expect(
        part.x >= 0 && part.y >= 0 && part.x + part.width <= 100 && part.y + part.height <= 80)
      let aspect = Double(part.width) / Double(part.height)
      #expect(aspect > 0.72 && aspect < 1.38)
      areas.append(Double(part.width * part.height) / 8_000)
    }
    #expect(areas.allSatisfy { $0 > 0.07 && $0 <= 1 })
    // Uniform in 0.08 … 1, less the large ones that do not fit.
    let mean = areas.reduce(0, +) / 2_000
    #expect(mean > 0.46 && mean < 0.55)
    // torchvision: ten failed tries on 100×10 give the middle of the widest allowed aspect.
    var random = stream()
    let narrow = RandomResizedCrop(size: 8, scale: 0.9...1)
    #expect(
      narrow.rectangle(width: 100, height: 10, random: &random)
        == PixelRectangle(x: 43, y: 0, width: 13, height: 10))
    #expect(
      narrow.rectangle(width: 10, height: 100, random: &random)
        == PixelRectangle(x: 0, y: 43, width: 10, height: 13))
  }

  @Test("flips mirror about half of the images")
  func flip() throws {
    let image = Image(width: 3, height: 1, channels: 3, pixels: [1, 2, 3, 4, 5, 6, 7, 8, 9])
    #expect(image.flippedHorizontally.pixels == [7, 8, 9, 4, 5, 6, 1, 2, 3])
    var flips = 0
    for index in 0..<1_000 {
      var random = stream(index)
      let result = try ImageTransform.horizontalFlip().apply(to: image, random: &random)
      #expect(result == image || result == image.flippedHorizontally)
      if result != image { flips += 1 }
    }
    #expect((440...560).contains(flips))
  }

  @Test("images of 1×1, one row and one column pass through every step")
  func tinyImages() throws {
    let steps: [ImageTransform] = [
      .randomResizedCrop(RandomResizedCrop(size: 5, interpolation: .bicubic)),
      .colorJitter(ColorJitter(brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1)),
      .randAugment(RandAugment(operations: 15, probability: 1)),
      .resize(Resize(shorterSide: 3)), .centerCrop(7), .horizontalFlip(),
    ]
    for (width, height) in [(1, 1), (17, 1), (1, 17), (2, 3)] {
      for channels in [1, 3] {
        for index in 0..<20 {
          var random = stream(index)
          var image = noise(width: width, height: height, channels: channels)
          // Operations on the tiny image itself too.
          for step in steps[1...2] { image = try step.apply(to: image, random: &random) }
          for step in steps { image = try step.apply(to: image, random: &random) }
          #expect(image.width == 7 && image.height == 7 && image.channels == channels)
        }
      }
    }
  }

  @Test("normalisation is (value / 255 − mean) / deviation, grey repeated, colour to grey")
  func normalisation() throws {
    let image = Image(width: 2, height: 1, channels: 3, pixels: [0, 51, 255, 102, 204, 153])
    let pipeline = ImagePipeline(mean: [0, 0.2, 0.5], standardDeviation: [1, 0.5, 0.25])
    var random = stream()
    let planes = try pipeline.values(of: image, random: &random)
    #expect(planes.size == ImageSize(height: 1, width: 2))
    let expected: [Float] = [0, 0.4, 0, 1.2, 2, 0.4]
    #expect(zip(planes.values, expected).allSatisfy { abs($0 - $1) < 1e-6 })
    let last = try pipeline.values(of: image, layout: .channelsLast, random: &random)
    #expect(
      last.values == [0, 2, 4].flatMap { [planes.values[$0]] }
        + [1, 3, 5].map { planes.values[$0] })
    let grey = Image(width: 1, height: 1, color: [51])
    let repeated = try pipeline.values(of: grey, random: &random).values
    #expect(zip(repeated, [0.2, 0, -1.2] as [Float]).allSatisfy { abs($0 - $1) < 1e-6 })
    let single = ImagePipeline(channels: 1, mean: [0], standardDeviation: [1])
    let mixed = try single.values(
      of: Image(width: 1, height: 1, color: [255, 0, 0]), random: &random)
    #expect(mixed.values == [76.0 / 255])
  }

  @Test("erasing wipes a rectangle of the area asked for, in the same place in both layouts")
  func erasing() throws {
    let image = Image(width: 20, height: 20, color: [255, 255, 255])
    var pipeline = ImagePipeline(
      mean: [0, 0, 0], standardDeviation: [1, 1, 1],
      erasing: RandomErasing(probability: 1, area: 0.1...0.3))
    for index in 0..<100 {
      var random = stream(index)
      let planes = try pipeline.values(of: image, random: &random).values
      let zeros = (0..<400).filter { planes[$0] == 0 }
      #expect(zeros.count > 30 && zeros.count < 135)
      let columns = Set(zeros.map { $0 % 20 })
      let rows = Set(zeros.map { $0 / 20 })
      #expect(columns.count * rows.count == zeros.count)
      #expect((0..<400).allSatisfy { planes[$0] == planes[$0 + 400] })
      random = stream(index)
      let last = try pipeline.values(of: image, layout: .channelsLast, random: &random).values
      #expect((0..<400).allSatisfy { planes[$0] == last[3 * $0 + 1] })
    }
    pipeline.erasing = nil
    pipeline.cutout = Cutout(length: 8)
    for index in 0..<100 {
      var random = stream(index)
      let planes = try pipeline.values(of: image, random: &random).values
      #expect((16...64).contains(planes[..<400].count { $0 == 0 }))
    }
  }

  @Test("RandAugment and colour jitter follow from the stream alone and do change images")
  func deterministic() throws {
    let image = noise(width: 16, height: 16)
    let pipeline = ImagePipeline(
      transforms: [
        .colorJitter(ColorJitter(brightness: 0.2, hue: 0.1)), .horizontalFlip(),
        .randAugment(RandAugment(probability: 1)),
      ], mean: [0, 0, 0], standardDeviation: [1, 1, 1])
    var changed = 0
    for index in 0..<50 {
      var first = stream(index)
      var second = stream(index)
      let a = try pipeline.transform(image, random: &first)
      #expect(a == (try pipeline.transform(image, random: &second)))
      if a != image { changed += 1 }
    }
    #expect(changed > 45)
  }

  @Test("pipelines come back from JSON as they were, and defaults may be left out")
  func codable() throws {
    let small = ImagePipeline(
      transforms: [.randomCrop(RandomCrop(size: 32, padding: 4)), .horizontalFlip()],
      mean: ImagePipeline.cifarMean, standardDeviation: ImagePipeline.cifarDeviation)
    var cutOut = small
    cutOut.transforms.append(.resize(Resize(size: 224, interpolation: .bicubic)))
    cutOut.cutout = Cutout(length: 16)
    let pipelines: [ImagePipeline] = [
      ImagePipeline(
        transforms: [
          .randomResizedCrop(RandomResizedCrop(size: 224, interpolation: .bicubic)),
          .horizontalFlip(),
          .colorJitter(ColorJitter(brightness: 0.06, contrast: 0.06, saturation: 0.06)),
          .randAugment(RandAugment()),
        ], mean: ImagePipeline.imageNetMean, standardDeviation: ImagePipeline.imageNetDeviation,
        erasing: RandomErasing(probability: 0.2, fill: .pixel)),
      .imageNetEvaluation(), small, cutOut,
      ImagePipeline(channels: 1, mean: [0], standardDeviation: [1], orientation: .ignored),
    ]
    for pipeline in pipelines {
      let data = try JSONEncoder().encode(pipeline)
      #expect(try JSONDecoder().decode(ImagePipeline.self, from: data) == pipeline)
    }
    let text = """
      {"mean": [0.4914, 0.4822, 0.4465], "standardDeviation": [0.2470, 0.2435, 0.2616],
       "transforms": [{"randomCrop": {"size": 32, "padding": 4}}, "horizontalFlip"]}
      """
    #expect(try JSONDecoder().decode(ImagePipeline.self, from: Data(text.utf8)) == small)
  }

  @Test(
    "misspelt or impossible settings are errors that say so",
    arguments: [
      (#"{"randomCropp": {"size": 32}}"#, "unknown step 'randomCropp'"),
      (#"{"randomCrop": {"size": 32, "paddin": 4}}"#, "unknown key 'paddin'"),
      (#"{"randomCrop": {"size": 0}}"#, "must be positive"),
      (#"{"resize": {"interpolation": "bicubic"}}"#, "either shorterSide or size"),
      (#""randomCrop""#, "needs settings"),
      (#"{"randomResizedCrop": {"size": 32, "scale": [1, 0.1]}}"#, "scale must be"),
      (#"{"randAugment": {"magnitude": 11}}"#, "magnitude must lie"),
    ])
  func badSettings(text: String, message: String) throws {
    let error = #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(ImageTransform.self, from: Data(text.utf8))
    }
    guard case .dataCorrupted(let context) = try #require(error) else {
      Issue.record("another error: \(String(describing: error))")
      return
    }
    #expect(context.debugDescription.contains(message))
  }

  @Test("the usual preparation for ImageNet has its size and steps")
  func imageNet() throws {
    var random = stream()
    let photo = noise(width: 61, height: 47)
    let evaluation = ImagePipeline.imageNetEvaluation()
    #expect(
      evaluation.transforms == [
        .resize(Resize(shorterSide: 256, interpolation: .bicubic)), .centerCrop(224),
      ])
    #expect(try evaluation.values(of: photo, random: &random).size == ImageSize(224))
  }

  @Test("digits are normalised to mean 0 and deviation 1")
  func digitsStatistics() throws {
    let digits = DigitsDataSet()
    // The usual numbers of the data's settings: 4.884 and 6.017 of 16.
    let pipeline = ImagePipeline(channels: 1, mean: [0.3053], standardDeviation: [0.3761])
    let batch = try DataLoader(
      digits, pipeline: pipeline, settings: LoaderSettings(batchSize: 1_797)
    ).batch(epoch: 0, index: 0).pixels
    #expect(batch.shape == [1_797, 1, 8, 8])
    let mean = batch.values.reduce(0.0) { $0 + Double($1) } / Double(batch.values.count)
    let square = batch.values.reduce(0.0) { $0 + Double($1 * $1) } / Double(batch.values.count)
    #expect(abs(mean) < 0.01 && abs(square - mean * mean - 1) < 0.01)
    #expect(batch.image(at: 3, pipeline: pipeline) == (try digits.image(at: 3)))
  }
}

@Suite struct RandomStreamTests {
  @Test("streams of other seeds, purposes and indices differ; the same one repeats")
  func derivation() {
    func first(_ seed: UInt64, _ purpose: RandomStream.Purpose, _ a: UInt64, _ b: UInt64) -> UInt64
    {
      var random = RandomStream(seed: seed, purpose: purpose, indices: a, b)
      return random.next()
    }
    var seen: Set<UInt64> = []
    for seed in 0..<10 {
      for purpose in [RandomStream.Purpose.shuffle, .augmentation] {
        for a in 0..<10 {
          for b in 0..<10 { seen.insert(first(UInt64(seed), purpose, UInt64(a), UInt64(b))) }
        }
      }
    }
    #expect(seen.count == 2_000)
    #expect(first(1, .shuffle, 2, 3) == first(1, .shuffle, 2, 3))
  }

  @Test("uniform, normal and beta numbers have their moments, integers no bias")
  func distributions() {
    var random = RandomStream(seed: 3, purpose: .augmentation)
    let count = 20_000
    func moments(_ draw: () -> Double) -> (mean: Double, variance: Double) {
      let values = (0..<count).map { _ in draw() }
      let mean = values.reduce(0, +) / Double(count)
      return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count))
    }
    let uniform = moments { random.uniform(-1, 3) }
    #expect(abs(uniform.mean - 1) < 0.04 && abs(uniform.variance - 16.0 / 12) < 0.04)
    let normal = moments { random.normal() }
    #expect(abs(normal.mean) < 0.03 && abs(normal.variance - 1) < 0.04)
    for alpha in [0.2, 1, 4] {
      let beta = moments { random.beta(alpha, alpha) }
      #expect(abs(beta.mean - 0.5) < 0.015)
      #expect(abs(beta.variance - 1 / (4 * (2 * alpha + 1))) < 0.01)
    }
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<14_000 { counts[random.below(7)] += 1 }
    #expect(counts.allSatisfy { (1_800...2_200).contains($0) })
    #expect(random.permutation(100).sorted() == Array(0..<100))
  }
}

@Suite("Boxes move with their images")
struct BoxTests {
  /// A white rectangle on black, with the box around it.
  private func sample(_ left: Int, _ top: Int, _ right: Int, _ bottom: Int) -> Sample {
    let pixels = (0..<20).flatMap { y in
      (0..<30).map { x in
        UInt8((left..<right).contains(x) && (top..<bottom).contains(y) ? 255 : 0)
      }
    }
    return Sample(
      image: Image(width: 30, height: 20, channels: 1, pixels: pixels),
      target: .boxes([
        LabeledBox(
          label: 3, left: Double(left), top: Double(top), right: Double(right),
          bottom: Double(bottom), isDifficult: true)
      ]))
  }

  /// The box around what is white in an image.
  private func found(in image: Image) -> [Double]? {
    var xs: [Int] = [], ys: [Int] = []
    for y in 0..<image.height {
      for x in 0..<image.width where image[x, y, 0] > 127 {
        xs.append(x)
        ys.append(y)
      }
    }
    guard let left = xs.min(), let right = xs.max(), let top = ys.min(), let bottom = ys.max()
    else { return nil }
    return [left, top, right + 1, bottom + 1].map { Double($0) }
  }

  @Test(
    "each step that moves pixels moves the box alike",
    arguments: [
      .resize(Resize(size: ImageSize(height: 60, width: 60), interpolation: .nearest)),
      .horizontalFlip(probability: 1), .centerCrop(ImageSize(16)),
      .randomCrop(RandomCrop(size: ImageSize(18), padding: 4)),
      .randomResizedCrop(
        RandomResizedCrop(size: ImageSize(64), scale: 0.5...1, interpolation: .nearest)),
      .colorJitter(ColorJitter(brightness: 0.1)),
    ] as [ImageTransform])
  func moves(step: ImageTransform) throws {
    var kept = 0
    for seed in 0..<20 {
      var random = RandomStream(seed: UInt64(seed), purpose: .augmentation, indices: 0)
      var sample = sample(12, 6, 22, 14)
      var same = random
      let image = try step.apply(to: sample.image, random: &same)
      try step.apply(to: &sample, random: &random)
      #expect(sample.image == image, "the same draws with and without a box")
      guard case .boxes(let boxes) = sample.target, let box = boxes.first else { continue }
      kept += 1
      #expect(box.label == 3 && box.isDifficult)
      let seen = try #require(found(in: image))
      for (a, b) in zip([box.left, box.top, box.right, box.bottom], seen) {
        // The nearest pixel to a border between two may be either.
        #expect(abs(a - b) <= 3, "\(step): \(box), not \(seen)")
      }
    }
    #expect(kept > 10)
  }

  @Test("what is cut off is cut off the box; a box with its centre outside is dropped")
  func clips() throws {
    var random = RandomStream(seed: 1, purpose: .augmentation, indices: 0)
    var inside = sample(2, 4, 16, 12)
    try ImageTransform.centerCrop(ImageSize(20)).apply(to: &inside, random: &random)
    #expect(
      inside.target
        == .boxes([
          LabeledBox(label: 3, left: 0, top: 4, right: 11, bottom: 12, isDifficult: true)
        ]))
    var outside = sample(0, 4, 8, 12)
    try ImageTransform.centerCrop(ImageSize(20)).apply(to: &outside, random: &random)
    #expect(outside.target == .boxes([]))
    var labelled = Sample(image: inside.image, target: .labels([1, 2]))
    try ImageTransform.horizontalFlip(probability: 1).apply(to: &labelled, random: &random)
    #expect(labelled.target == .labels([1, 2]))
  }
}
