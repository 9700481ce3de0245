// SPDX-License-Identifier: Apache-2.0

import Foundation
import MUXImages
import MUXVision
import Testing

/// Against what Pillow, torchvision and timm make of the same image; values are 0 … 255.
@Suite struct VisionReferenceTests {
  private let source: Image

  init() throws { source = try Fixture.image("source.png") }

  /// Asserts that two images differ by at most `tolerance`, and by more than one almost nowhere.
  private func expectClose(
    _ image: Image, _ reference: Image, tolerance: Int = 1, shareAboveOne: Double = 0,
    _ name: String, location: SourceLocation = #_sourceLocation
  ) throws {
    let difference = try #require(
      Difference(image, reference), "\(name): another size", sourceLocation: location)
    #expect(
      difference.greatest <= tolerance && difference.shareAboveOne <= shareAboveOne,
      "\(name): greatest difference \(difference.greatest), above one \(difference.shareAboveOne)",
      sourceLocation: location)
  }

  @Test(
    "JPEG files decode to Pillow's pixels: 4:2:0, progressive, grey exactly, CMYK within 1",
    arguments: ["plain", "progressive", "grey", "cmyk"])
  func jpeg(name: String) throws {
    let image = try Fixture.image("\(name).jpg")
    #expect(image.channels == (name == "grey" ? 1 : 3))
    try expectClose(
      image, try Fixture.image("\(name)_decoded.png"), tolerance: name == "cmyk" ? 1 : 0, name)
  }

  @Test("PNG files: palette as Pillow, transparency dropped, grey, and an exact way back")
  func png() throws {
    #expect(try Fixture.image("palette.png") == Fixture.image("palette_decoded.png"))
    #expect(try Fixture.image("alpha.png") == source)
    let grey = try Fixture.image("grey.png")
    #expect(grey.channels == 1)
    #expect(source.grey == grey)
    #expect(grey.rgb.grey == grey)
    #expect(try Image(data: source.pngData(), name: "copy") == source)
    #expect(try Image(data: grey.pngData(), name: "copy") == grey)
  }

  @Test(
    "resizing agrees with Pillow within 1",
    arguments: [Interpolation.bilinear, .bicubic],
    [(17, 11), (33, 31), (40, 12), (64, 70), (5, 3)])
  func resize(interpolation: Interpolation, size: (Int, Int)) throws {
    let name = "resize_\(interpolation)_\(size.0)x\(size.1).png"
    let result = source.resized(width: size.0, height: size.1, interpolation: interpolation)
    try expectClose(result, try Fixture.image(name), name)
  }

  @Test(
    "grey images, the shorter side and cut-and-resize agree with torchvision within 1",
    arguments: [Interpolation.bilinear, .bicubic])
  func resizeVariants(interpolation: Interpolation) throws {
    try expectClose(
      source.grey.resized(width: 19, height: 13, interpolation: interpolation),
      try Fixture.image("resize_grey_\(interpolation)_19x13.png"), "grey")
    try expectClose(
      Resize(shorterSide: 20, interpolation: interpolation).apply(to: source),
      try Fixture.image("resize_\(interpolation)_shorter20.png"), "shorter side")
    try expectClose(
      source.resized(
        width: 24, height: 24, interpolation: interpolation,
        rectangle: PixelRectangle(x: 7, y: 3, width: 29, height: 20)),
      try Fixture.image("resized_crop_\(interpolation).png"), "cut and resize")
  }

  @Test(
    "centre crops are torchvision's exactly, also of odd sizes and with padding",
    arguments: [(16, 16), (24, 13), (50, 20), (48, 51)])
  func centerCrop(size: (Int, Int)) throws {
    let pipeline = ImagePipeline(
      transforms: [.centerCrop(ImageSize(height: size.1, width: size.0))],
      mean: [0, 0, 0], standardDeviation: [1, 1, 1])
    #expect(
      try pipeline.prepared(source) == Fixture.image("center_crop_\(size.0)x\(size.1).png"))
  }

  @Test("colours and the operations of RandAugment agree with Pillow, torchvision and timm")
  func operations() throws {
    let tall = try Fixture.image("operations.png")
    let names = String(decoding: try Fixture.bytes("operations.txt"), as: UTF8.self)
      .split(separator: "\n")
    #expect(tall.height == names.count * source.height && names.count == 64)
    let augment = RandAugment()
    for (index, name) in names.enumerated() {
      let reference = tall.cropped(
        to: PixelRectangle(
          x: 0, y: index * source.height, width: source.width, height: source.height))
      let words = name.split(separator: " ").map(String.init)
      let number = words.count > 1 ? Double(words[words[0] == "op" ? 2 : 1]) : nil
      let result: Image
      // Geometric operations take nearest pixels in fixed point in Pillow, so that a few on the
      // edge between two pixels fall to the other side.
      var tolerance = 1
      var share = 0.0
      switch words[0] {
      case "brightness": result = source.adjustingBrightness(Float(try #require(number)))
      case "contrast": result = source.adjustingContrast(Float(try #require(number)))
      case "saturation": result = source.adjustingSaturation(Float(try #require(number)))
      case "sharpness": result = source.adjustingSharpness(Float(try #require(number)))
      case "hue": result = source.adjustingHue(Float(try #require(number)))
      case "flip": result = source.flippedHorizontally
      default:
        let operation = try #require(RandAugment.Operation(rawValue: words[1]))
        let interpolation = try #require(Interpolation(rawValue: words[3]))
        result = augment.apply(
          operation, to: source, level: try #require(number), interpolation: interpolation)
        if interpolation == .nearest {
          tolerance = 255
          share = 0.005
        }
      }
      try expectClose(
        result, reference, tolerance: tolerance, shareAboveOne: share, String(name))
    }
  }
}
