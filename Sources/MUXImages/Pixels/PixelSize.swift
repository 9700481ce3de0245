// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// Width and height in pixels. In files a square is one number, else `[height, width]`.
public struct PixelSize: Sendable, Hashable, Codable, CustomStringConvertible,
  ExpressibleByIntegerLiteral
{
  /// Pixels per row.
  public var width: Int
  /// Rows.
  public var height: Int

  /// Makes a size.
  public init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  /// Makes a square.
  public init(_ side: Int) { self.init(width: side, height: side) }

  /// Makes a square.
  public init(integerLiteral value: Int) { self.init(value) }

  /// Decodes one number or `[height, width]`; both must be positive.
  public init(from decoder: any Decoder) throws {
    if let side = try? decoder.singleValueContainer().decode(Int.self) {
      self.init(side)
    } else {
      let sides = try decoder.singleValueContainer().decode([Int].self)
      guard sides.count == 2 else {
        throw decoder.invalid("a size is one number or [height, width]")
      }
      self.init(width: sides[1], height: sides[0])
    }
    guard width > 0 && height > 0 && max(width, height) <= 1 << 16 else {
      throw decoder.invalid("a size must be positive and at most 65536, not \(self)")
    }
  }

  /// Encodes a square as one number, else `[height, width]`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if width == height {
      try container.encode(width)
    } else {
      try container.encode([height, width])
    }
  }

  /// "width×height".
  public var description: String { "\(width)×\(height)" }
}
