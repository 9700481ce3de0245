// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Height and width of an image.
public typealias ImageSize = MUXCore.ImageSize

/// A size as it stands in settings: one number for a square, or `[height, width]`.
package struct SizeSetting: Sendable, Hashable, Codable {
  package var size: ImageSize

  package init(_ size: ImageSize) { self.size = size }

  /// Decodes one number or `[height, width]`; both must be positive.
  package init(from decoder: any Decoder) throws {
    if let side = try? decoder.singleValueContainer().decode(Int.self) {
      size = ImageSize(side)
    } else {
      let sides = try decoder.singleValueContainer().decode([Int].self)
      guard sides.count == 2 else {
        throw decoder.invalid("a size is one number or [height, width]")
      }
      size = ImageSize(height: sides[0], width: sides[1])
    }
    guard size.width > 0 && size.height > 0 && max(size.width, size.height) <= 1 << 16 else {
      throw decoder.invalid("a size must be positive and at most 65536, not \(size)")
    }
  }

  /// Encodes a square as one number, else `[height, width]`.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if size.width == size.height {
      try container.encode(size.width)
    } else {
      try container.encode([size.height, size.width])
    }
  }
}
