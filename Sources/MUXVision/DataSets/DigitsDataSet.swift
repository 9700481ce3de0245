// SPDX-License-Identifier: Apache-2.0
public import MUXImages

/// The UCI handwritten digits: 1,797 grey images of 8×8 pixels, shipped with the package.
///
/// The same images in the same order as scikit-learn's `load_digits`. Source: E. Alpaydin,
/// C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository (1998),
/// https://doi.org/10.24432/C50P49, licensed under CC BY 4.0. The test part of that data set.
public struct DigitsDataSet: ImageDataSet {
  /// The number of images: 1,797.
  public var count: Int { labels.count }
  /// "0" … "9".
  public let classNames = (0...9).map(String.init)

  private let labels: [UInt8]
  private let values: [UInt8]  // 0 … 16, 64 an image

  /// Unpacks the data (a few milliseconds).
  public init() {
    var labels: [UInt8] = []
    var values: [UInt8] = []
    labels.reserveCapacity(1_797)
    values.reserveCapacity(1_797 * 64)
    for byte in digitsText.utf8 {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): labels.append(byte - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "q"): values.append(byte - UInt8(ascii: "a"))
      default: break  // line ends
      }
    }
    self.labels = labels
    self.values = values
  }

  /// The digit that an image shows.
  public func target(at index: Int) -> Target { .label(Int(labels[index])) }

  /// "digits, image 17".
  public func name(at index: Int) -> String { "digits, image \(index)" }

  /// The 64 values of an image as the source has them: 0 … 16, row by row.
  public func values(at index: Int) -> [UInt8] {
    Array(values[(64 * index)..<(64 * index + 64)])
  }

  /// An image of 8×8, grey, its values 0 … 16 spread over 0 … 255.
  public func image(at index: Int) throws -> Image {
    let pixels = values(at: index).map { UInt8((Int($0) * 255 + 8) / 16) }
    return Image(width: 8, height: 8, channels: 1, pixels: pixels)
  }
}
