// SPDX-License-Identifier: Apache-2.0

import Foundation
import MUXCore
import MUXImages
import MUXVision

/// The files that `tools/make_vision_fixtures.py` wrote.
enum Fixture {
  static let folder =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")
    .path

  static func path(_ name: String) -> String { "\(folder)/\(name)" }
  static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }
  static func image(_ name: String) throws -> Image { try Image(contentsOfFile: path(name)) }
}

/// An image whose values follow from a seed.
func noise(width: Int, height: Int, channels: Int = 3, seed: UInt64 = 1) -> Image {
  var random = RandomStream(seed: seed, purpose: .init(rawValue: 9_000))
  return Image(
    width: width, height: height, channels: channels,
    pixels: (0..<(width * height * channels)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
}

/// How far two images are apart.
struct Difference {
  /// The greatest difference of two values.
  var greatest = 0
  /// The share of values that differ by more than one.
  var shareAboveOne = 0.0

  init?(_ a: Image, _ b: Image) {
    guard a.width == b.width && a.height == b.height && a.channels == b.channels else {
      return nil
    }
    var above = 0
    for (x, y) in zip(a.pixels, b.pixels) {
      let distance = abs(Int(x) - Int(y))
      greatest = max(greatest, distance)
      if distance > 1 { above += 1 }
    }
    shareAboveOne = Double(above) / Double(a.pixels.count)
  }
}

/// A data set in memory.
struct MemoryDataSet: ImageDataSet {
  var images: [Image]
  var labels: [Int]
  var classNames: [String]
  var count: Int { images.count }
  func target(at index: Int) -> Target { .label(labels[index]) }
  func name(at index: Int) -> String { "memory image \(index)" }
  func image(at index: Int) throws -> Image { images[index] }

  /// Noise images of one size.
  init(count: Int, classes: Int = 2, width: Int = 8, height: Int = 8, channels: Int = 3) {
    images = (0..<count).map {
      noise(width: width, height: height, channels: channels, seed: UInt64($0))
    }
    labels = (0..<count).map { $0 % classes }
    classNames = (0..<classes).map { "class \($0)" }
  }
}
