// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXImages
import Testing

@Suite("Contact sheets")
struct ContactSheetTests {
  private func color(_ image: Image, _ x: Int, _ y: Int) -> [UInt8] {
    (0..<3).map { image[x, y, $0] }
  }

  @Test(
    "pictures stand in rows; small ones grow by whole numbers, large ones shrink, grey ones too")
  func places() {
    let small = Image(width: 10, height: 5, color: [200, 0, 0])
    let large = Image(width: 80, height: 40, color: [0, 200, 0])
    let grey = Image(width: 20, height: 20, color: [77])
    let sheet = ContactSheet([.init(small), .init(large), .init(grey)], columns: 2, side: 40).image
    // Cells of 40×40 with gaps of 6, without lines for captions.
    #expect(sheet.width == 2 * 46 + 6 && sheet.height == 2 * 46 + 6)
    for (x, y, expected) in [
      (6, 6, [200, 0, 0]), (45, 25, [200, 0, 0]), (6, 26, [255, 255, 255]),
      (52, 6, [0, 200, 0]), (91, 25, [0, 200, 0]), (92, 6, [255, 255, 255]),
      (6, 52, [77, 77, 77]), (45, 91, [77, 77, 77]), (60, 60, [255, 255, 255]),
    ] as [(Int, Int, [UInt8])] {
      #expect(color(sheet, x, y) == expected, "(\(x), \(y))")
    }
  }

  @Test("a caption stands below its picture, and is cut off at its width")
  func captions() {
    let picture = Image(width: 40, height: 40, color: [9, 9, 9])
    func sheet(_ captions: [String]) -> Image {
      ContactSheet(captions.map { .init(picture, caption: $0) }, columns: 2, side: 40).image
    }
    func ink(_ image: Image, _ xs: Range<Int>) -> Int {
      var count = 0
      for y in 46..<image.height {
        for x in xs where color(image, x, y) == [40, 40, 40] { count += 1 }
      }
      return count
    }
    let image = sheet(["I", "H"])
    #expect(image.height == 6 + 40 + 10 + 6)
    // The letter I has 11 dots, H has 17.
    #expect(ink(image, 0..<49) == 11 && ink(image, 49..<98) == 17)
    let long = sheet([String(repeating: "H", count: 50), ""])
    #expect(ink(long, 0..<46) > 60 && ink(long, 46..<98) == 0)
  }

  @Test("boxes are drawn in the pixels of the sheet, wherever the picture was resized")
  func boxes() {
    let picture = Image(width: 100, height: 100, color: [0, 0, 0])
    let box = DrawnBox(
      LabeledBox(label: 1, left: 20, top: 40, right: 60, bottom: 80), text: "")
    for side in [50, 100, 200] {
      let sheet = ContactSheet([.init(picture, boxes: [box])], side: side).image
      let unit = side / 50
      #expect(color(sheet, 6 + 10 * unit, 6 + 30 * unit) == DrawnBox.color(ofClass: 1))
      #expect(color(sheet, 6 + 20 * unit, 6 + 30 * unit) == [0, 0, 0])
      #expect(color(sheet, 6 + 9 * unit, 6 + 30 * unit) == [0, 0, 0])
    }
  }

  @Test(
    "a picture comes back from its normalised values, in either layout and order of colours",
    arguments: [MemoryLayout4D.channelsFirst, .channelsLast], [ChannelOrder.rgb, .bgr])
  func pictures(layout: MemoryLayout4D, order: ChannelOrder) throws {
    let image = Image(
      width: 7, height: 5, channels: 3, pixels: (0..<105).map { UInt8($0 * 37 % 256) })
    let pipeline = ImagePipeline(
      channelOrder: order, mean: [0.1, 0.5, 0.9], standardDeviation: [0.2, 0.3, 0.4])
    var random = ImagePipeline.stream(seed: 0, epoch: 0, index: 0)
    let values = try pipeline.values(of: image, layout: layout, random: &random).values
    let batch = PixelBatch(
      count: 2, channels: 3, height: 5, width: 7, layout: layout,
      values: values.map { _ in -100 } + values)
    #expect(pipeline.picture(1, of: batch) == image)
    #expect(Set(pipeline.picture(0, of: batch).pixels) == [0])
  }
}
