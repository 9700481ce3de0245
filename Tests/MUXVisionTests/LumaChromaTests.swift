// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXTestSupport
import MUXVision
import Testing

@Suite("Images from luma and chroma")
struct LumaChromaTests {
  private static let encodings = LumaChromaEncoding.Matrix.allCases.flatMap {
    [LumaChromaEncoding($0), LumaChromaEncoding($0, isFullRange: true)]
  }

  /// The standards' equations as they stand there: luma and colour differences of a colour.
  private static func encoded(
    _ color: [Double], _ encoding: LumaChromaEncoding
  ) -> (y: Double, cb: Double, cr: Double) {
    let (red, blue): (Double, Double) =
      switch encoding.matrix {
      case .bt601: (0.299, 0.114)
      case .bt709: (0.2126, 0.0722)
      case .bt2020: (0.2627, 0.0593)
      }
    let rgb = color.map { $0 / 255 }
    let y = red * rgb[0] + (1 - red - blue) * rgb[1] + blue * rgb[2]
    let cb = (rgb[2] - y) / (2 * (1 - blue)), cr = (rgb[0] - y) / (2 * (1 - red))
    return encoding.isFullRange
      ? (255 * y, 128 + 255 * cb, 128 + 255 * cr) : (16 + 219 * y, 128 + 224 * cb, 128 + 224 * cr)
  }

  @Test("Colours come back from what the standards' equations make of them", arguments: encodings)
  func colors(encoding: LumaChromaEncoding) throws {
    for color in [
      [0, 0, 0], [255, 255, 255], [128, 128, 128], [200, 30, 60], [10, 220, 90], [40, 60, 250],
      [250, 240, 20],
    ] as [[Double]] {
      let (y, cb, cr) = Self.encoded(color, encoding)
      let image = try Image(
        width: 2, height: 2, luma: [UInt8](repeating: UInt8(y.rounded()), count: 4),
        lumaBytesPerRow: 2, chroma: [UInt8(cb.rounded()), UInt8(cr.rounded())],
        chromaBytesPerRow: 2, encoding: encoding)
      for (channel, value) in color.enumerated() {
        // Both were rounded to whole numbers: half of one of luma and of chroma.
        #expect(abs(Double(image[1, 1, channel]) - value) <= 2.5, "\(color) \(channel)")
      }
    }
    // Values that no colour has are held within 0…255.
    let strange = try Image(
      width: 1, height: 1, nv12: [255, 0, 255, 0], encoding: encoding)
    #expect(strange[0, 0, 0] <= strange[0, 0, 2])
  }

  @Test(
    "Each pixel has its own luma and the chroma of its four, whatever the strides and odd sizes",
    arguments: [(1, 1), (2, 2), (5, 4), (4, 5), (7, 3), (1, 6)])
  func layout(width: Int, height: Int) throws {
    let pairs = (width + 1) / 2, rows = (height + 1) / 2
    for (lumaGap, chromaGap) in [(0, 0), (3, 5)] {
      let lumaStride = width + lumaGap, chromaStride = 2 * pairs + chromaGap
      var luma = [UInt8](repeating: 77, count: (height - 1) * lumaStride + width)
      var chroma = [UInt8](repeating: 99, count: (rows - 1) * chromaStride + 2 * pairs)
      for y in 0..<height {
        for x in 0..<width { luma[y * lumaStride + x] = UInt8(60 + (7 * x + 11 * y) % 100) }
      }
      for y in 0..<rows {
        for x in 0..<pairs {
          chroma[y * chromaStride + 2 * x] = UInt8(110 + (5 * x + 3 * y) % 40)
          chroma[y * chromaStride + 2 * x + 1] = UInt8(150 - (3 * x + 5 * y) % 40)
        }
      }
      let image = try Image(
        width: width, height: height, luma: luma, lumaBytesPerRow: lumaStride, chroma: chroma,
        chromaBytesPerRow: chromaStride, encoding: .init(.bt601, isFullRange: true))
      for y in 0..<height {
        for x in 0..<width {
          let value = Double(luma[y * lumaStride + x])
          let place = y / 2 * chromaStride + x / 2 * 2
          let cb = Double(chroma[place]) - 128, cr = Double(chroma[place + 1]) - 128
          let expected = [
            value + 1.402 * cr, value - 0.344136 * cb - 0.714136 * cr, value + 1.772 * cb,
          ]
          for channel in 0..<3 {
            #expect(abs(Double(image[x, y, channel]) - expected[channel]) < 0.51)
          }
        }
      }
      // The same in one buffer.
      let stride = max(lumaStride, chromaStride)
      var together = [UInt8](repeating: 1, count: stride * (height + rows))
      for y in 0..<height {
        for x in 0..<width { together[y * stride + x] = luma[y * lumaStride + x] }
      }
      for y in 0..<rows {
        for x in 0..<2 * pairs {
          together[(height + y) * stride + x] = chroma[y * chromaStride + x]
        }
      }
      #expect(
        try Image(
          width: width, height: height, nv12: together, bytesPerRow: stride,
          encoding: .init(.bt601, isFullRange: true)) == image)
      #expect(
        try Image(
          width: width, height: height, luma: Data(luma), lumaBytesPerRow: lumaStride,
          chroma: Data(chroma)[...], chromaBytesPerRow: chromaStride,
          encoding: .init(.bt601, isFullRange: true)) == image)
    }
  }

  @Test("Sizes and strides that do not go together are an error of one line, never a read beyond")
  func misfits() throws {
    func refused(
      _ width: Int, _ height: Int, luma: Int, _ lumaStride: Int, chroma: Int, _ chromaStride: Int
    ) {
      let error = #expect(throws: ImageError.self) {
        try Image(
          width: width, height: height, luma: [UInt8](repeating: 0, count: luma),
          lumaBytesPerRow: lumaStride, chroma: [UInt8](repeating: 0, count: chroma),
          chromaBytesPerRow: chromaStride)
      }
      #expect(error?.description.contains("\n") == false)
    }
    refused(0, 4, luma: 16, 4, chroma: 8, 4)
    refused(4, -1, luma: 16, 4, chroma: 8, 4)
    refused(.max, .max, luma: 16, 4, chroma: 8, 4)
    refused(4, 4, luma: 15, 4, chroma: 8, 4)
    refused(4, 4, luma: 16, 3, chroma: 8, 4)
    refused(4, 4, luma: 16, 4, chroma: 7, 4)
    refused(4, 4, luma: 16, 4, chroma: 8, 3)
    refused(4, 4, luma: 16, .max, chroma: 8, 4)
    refused(4, 4, luma: 16, 4, chroma: 8, .min)
    // A column alone still has a pair of chroma values.
    refused(5, 1, luma: 5, 5, chroma: 5, 6)
    for (count, stride) in [(23, nil), (24, 3), (24, .max), (24, -4), (24, 5)] as [(Int, Int?)] {
      #expect(throws: ImageError.self) {
        try Image(
          width: 4, height: 4, nv12: [UInt8](repeating: 0, count: count), bytesPerRow: stride)
      }
    }
    #expect(
      try Image(width: 4, height: 4, nv12: [UInt8](repeating: 16, count: 24)).size.width == 4)
  }

  @Test("Data and addresses of files are decoded in one line")
  func files() throws {
    let folder = try TemporaryFolder()
    let image = Image(width: 5, height: 3, color: [10, 200, 30])
    let bytes = try image.pngData()
    let path = try folder.write("ä picture 1.png", bytes)
    #expect(try Image(data: Data(bytes)) == image)
    #expect(try Image(data: Data([9] + bytes)[1...]) == image)
    #expect(try Image(contentsOf: URL(filePath: path)) == image)
    let broken = #expect(throws: ImageError.self) { try Image(data: Data(bytes.prefix(40))) }
    #expect(broken?.description.hasPrefix("the image: damaged PNG") == true)
    #expect(throws: ImageError.self) { try Image(data: Data()) }
    for address in ["https://example.org/a.png", "a.png"] {
      let error = #expect(throws: ImageError.self) {
        try Image(contentsOf: #require(URL(string: address)))
      }
      #expect(error?.description.contains("not the address of a file") == true)
    }
  }
}
