// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXImages
import Testing

@Suite("Resampling") struct ResamplingTests {
  private static func image(_ width: Int, _ height: Int, _ channels: Int) -> Image {
    var random = RandomStream(
      seed: 5, purpose: .augmentation, indices: UInt64(width * 100 + height))
    return Image(
      width: width, height: height, channels: channels,
      pixels: (0..<width * height * channels).map { _ in UInt8(random.below(256)) })
  }

  /// The filter as it is defined: all columns first, rounded to 8 bits, then all rows.
  private static func slow(
    _ image: Image, width: Int, height: Int, _ filter: Interpolation
  ) -> Image {
    let narrow = slowColumns(image, width, filter)
    return transposed(slowColumns(transposed(narrow), height, filter))
  }

  private static func transposed(_ image: Image) -> Image {
    var pixels: [UInt8] = []
    for x in 0..<image.width {
      for y in 0..<image.height {
        for c in 0..<image.channels { pixels.append(image[x, y, c]) }
      }
    }
    return Image(
      width: image.height, height: image.width, channels: image.channels, pixels: pixels)
  }

  private static func slowColumns(_ image: Image, _ width: Int, _ filter: Interpolation) -> Image {
    if width == image.width { return image }
    func weight(_ x: Double) -> Double {
      let x = abs(x)
      if filter == .bilinear { return max(0, 1 - x) }
      if x < 1 { return (1.5 * x - 2.5) * x * x + 1 }
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0
    }
    let scale = Double(image.width) / Double(width), widening = max(scale, 1)
    let support = (filter == .bicubic ? 2 : 1) * widening
    var pixels: [UInt8] = []
    for y in 0..<image.height {
      for x in 0..<width {
        let center = (Double(x) + 0.5) * scale
        let first = max(Int(center - support + 0.5), 0)
        let end = min(Int(center + support + 0.5), image.width)
        let weights = (first..<end).map { weight((Double($0) - center + 0.5) / widening) }
        let total = weights.reduce(0, +)
        for c in 0..<image.channels {
          var sum: Float = 0
          for (tap, weight) in weights.enumerated() {
            sum += Float(image[first + tap, y, c]) * Float(weight / total)
          }
          pixels.append(UInt8(min(max((sum + 0x1p-12).rounded(.toNearestOrEven), 0), 255)))
        }
      }
    }
    return Image(
      width: width, height: image.height, channels: image.channels, pixels: pixels)
  }

  private static let sizes = [
    (9, 7, 4, 3), (5, 6, 11, 13), (16, 5, 16, 9), (12, 8, 5, 8), (1, 9, 4, 2),
  ]

  @Test("gives what the filters' definition gives, to the bit", arguments: [1, 3])
  func definition(channels: Int) {
    for (width, height, newWidth, newHeight) in Self.sizes {
      let image = Self.image(width, height, channels)
      for filter in [Interpolation.bilinear, .bicubic] {
        #expect(
          image.resized(width: newWidth, height: newHeight, interpolation: filter)
            == Self.slow(image, width: newWidth, height: newHeight, filter))
      }
    }
  }

  @Test("A window of the result is what cutting it out afterwards gives", arguments: [1, 3])
  func windows(channels: Int) {
    for (width, height, newWidth, newHeight) in Self.sizes + [(6, 6, 6, 6)] {
      let image = Self.image(width, height, channels)
      let part = PixelRectangle(x: width / 3, y: 1, width: width - width / 3, height: height - 1)
      for filter in Interpolation.allCases {
        for rectangle in [nil, part] {
          let whole = image.resized(
            width: newWidth, height: newHeight, interpolation: filter, rectangle: rectangle)
          for window in [
            PixelRectangle(x: 0, y: 0, width: 1, height: 1),
            PixelRectangle(
              x: newWidth / 2, y: newHeight / 2, width: newWidth - newWidth / 2, height: 1),
            PixelRectangle(x: 1, y: 0, width: newWidth - 1, height: newHeight),
          ] {
            #expect(
              image.resized(
                width: newWidth, height: newHeight, interpolation: filter, rectangle: rectangle,
                window: window) == whole.cropped(to: window))
          }
        }
      }
    }
  }

  @Test("A pipeline that scales and cuts gives what its steps give one by one")
  func pipelines() throws {
    for crop in [ImageSize(8), ImageSize(height: 10, width: 7), ImageSize(30)] {
      let cut = ImagePipeline(
        transforms: [.centerCrop(crop)], mean: [0, 0, 0], standardDeviation: [1, 1, 1])
      for resize in [
        Resize(shorterSide: 11, interpolation: .bicubic), Resize(size: 12), Resize(shorterSide: 9),
      ] {
        let pipeline = ImagePipeline(
          transforms: [.resize(resize), .centerCrop(crop)], mean: [0, 0, 0],
          standardDeviation: [1, 1, 1])
        for (width, height) in [(20, 33), (33, 20), (7, 7), (1, 50)] {
          let image = Self.image(width, height, 3)
          #expect(try pipeline.prepared(image) == cut.prepared(resize.apply(to: image)))
        }
      }
    }
  }
}
