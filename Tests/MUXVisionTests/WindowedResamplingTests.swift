// SPDX-License-Identifier: Apache-2.0

import MUXCore
import MUXImages
import MUXVision
import Testing

/// A part of a resized image has the pixels of the whole one, and costs what it costs.
@Suite struct WindowedResamplingTests {
  @Test(
    "a window of a resized image has the pixels of the whole one",
    arguments: [Interpolation.nearest, .bilinear, .bicubic], [1, 3])
  func windows(interpolation: Interpolation, channels: Int) {
    let image = noise(width: 37, height: 29, channels: channels)
    let part = PixelRectangle(x: 3, y: 2, width: 31, height: 25)
    // Both sides change, either one, none; up and down.
    for (width, height) in [(50, 61), (9, 7), (31, 60), (64, 25), (31, 25), (1, 1), (90, 3)] {
      for rectangle in [nil, part] {
        let whole = image.resized(
          width: width, height: height, interpolation: interpolation, rectangle: rectangle)
        for x in Set([0, width / 3, width - 1]) {
          for y in Set([0, height / 2, height - 1]) {
            for (w, h) in [(1, 1), (width - x, height - y), ((width - x + 1) / 2, 1)] {
              let window = PixelRectangle(x: x, y: y, width: w, height: h)
              let some = image.resized(
                width: width, height: height, interpolation: interpolation, rectangle: rectangle,
                window: window)
              #expect(some == whole.cropped(to: window), "\(width)×\(height), \(window)")
              // Weights and rows in many turns, down to one at a time.
              for bytes in [1, 300] where w * h > 1 {
                let turns = image.resized(
                  width: width, height: height, interpolation: interpolation,
                  rectangle: rectangle, window: window, blockBytes: bytes)
                #expect(turns == some, "\(width)×\(height), \(window), \(bytes)")
              }
            }
          }
        }
      }
    }
  }

  /// One step after the other, each on a whole image.
  private func stepByStep(
    _ pipeline: ImagePipeline, _ image: Image, random: inout RandomStream
  ) throws -> Image {
    var result = image
    for step in pipeline.transforms { result = try step.apply(to: result, random: &random) }
    return result.converted(toChannels: pipeline.channels)
  }

  @Test("pipelines that compute only what is cut out give the same bits and draw the same numbers")
  func pipelines() throws {
    func resize(_ side: Int) -> ImageTransform { .resize(Resize(shorterSide: side)) }
    let exact = ImageTransform.resize(
      Resize(size: ImageSize(height: 44, width: 20), interpolation: .bicubic))
    let cases: [[ImageTransform]] = [
      [resize(32), .centerCrop(28)],
      [resize(20), .centerCrop(28)],
      [exact, .centerCrop(ImageSize(height: 9, width: 31))],
      [resize(40), .randomCrop(RandomCrop(size: 32))],
      [resize(30), .randomCrop(RandomCrop(size: 32, padding: 7))],
      [resize(30), .horizontalFlip(), .randomCrop(RandomCrop(size: 27, padding: 7))],
      [resize(33), .horizontalFlip(), .horizontalFlip(), .centerCrop(24), .horizontalFlip()],
      [exact, resize(50), .horizontalFlip(), .colorJitter(ColorJitter(hue: 0.1)), .centerCrop(30)],
      [resize(25), .horizontalFlip()],
      [.randomCrop(RandomCrop(size: 20)), resize(31), .randomCrop(RandomCrop(size: 3))],
      [resize(30), .randAugment(RandAugment()), .randomCrop(RandomCrop(size: 29))],
      [resize(9), .randomResizedCrop(RandomResizedCrop(size: 14))],
    ]
    for (number, steps) in cases.enumerated() {
      for channels in [1, 3] {
        let values = [Float](repeating: 0.5, count: channels)
        let pipeline = ImagePipeline(
          transforms: steps, channels: channels, mean: values, standardDeviation: values)
        for index in 0..<12 {
          let image = noise(
            width: 25 + index, height: 47 - 2 * index, channels: index % 3 == 0 ? 1 : 3)
          var first = ImagePipeline.stream(seed: 3, epoch: 0, index: index)
          var second = first
          let result = try pipeline.transform(image, random: &first)
          #expect(
            try result == stepByStep(pipeline, image, random: &second), "case \(number), \(index)")
          #expect(first.next() == second.next(), "case \(number), \(index)")
        }
      }
    }
  }

  @Test(
    "strips are prepared with little memory, whatever the length of the other side",
    arguments: [(1, 1_000_000), (1_000_000, 1), (2, 60_000), (1, 1), (65_000, 1)])
  func strips(width: Int, height: Int) throws {
    // A grey ramp along the strip, so that the place of the cut shows.
    let count = width * height
    let strip = Image(
      width: width, height: height, channels: 1,
      pixels: (0..<count).map { UInt8($0 * 255 / max(1, count - 1)) })
    var random = ImagePipeline.stream(seed: 1, epoch: 0, index: 0)
    let evaluated = try ImagePipeline.imageNetEvaluation(size: 32).transform(strip, random: &random)
    #expect(evaluated.width == 32 && evaluated.height == 32)
    let expected = count == 1 ? 0 : 127
    #expect(evaluated.pixels.allSatisfy { abs(Int($0) - expected) <= 1 })
    let training = ImagePipeline(
      transforms: [.randomResizedCrop(RandomResizedCrop(size: 32, interpolation: .bicubic))],
      mean: [0, 0, 0], standardDeviation: [1, 1, 1])
    let trained = try training.transform(strip, random: &random)
    #expect(trained.width == 32 && trained.height == 32)
    if count < 100_000 {
      let exact = strip.resized(width: 4, height: 4, interpolation: .bicubic)
      #expect(exact.pixels.count == 16)
    }
  }

  @Test("scaling to more pixels than the limit is an error that says what to do")
  func tooLarge() throws {
    let strip = Image(width: 1, height: 1_000_000, color: [9])
    var random = ImagePipeline.stream(seed: 1, epoch: 0, index: 0)
    let pipeline = ImagePipeline(
      transforms: [.resize(Resize(shorterSide: 256))], mean: [0, 0, 0],
      standardDeviation: [1, 1, 1])
    let error = #expect(throws: ImageError.self) {
      try pipeline.transform(strip, random: &random)
    }
    #expect(
      try #require(error)
        == .scaledTooLarge(
          width: 1, height: 1_000_000, size: ImageSize(height: 256_000_000, width: 256),
          limit: Resize.pixelLimit))
    #expect("\(try #require(error))".contains("256×256000000"))
  }
}
