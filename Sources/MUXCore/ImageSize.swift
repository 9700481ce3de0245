// SPDX-License-Identifier: Apache-2.0

/// Height and width of an image, or of a plane of a network's tensors, in pixels.
public struct ImageSize: Sendable, Hashable, Codable, CustomStringConvertible,
  ExpressibleByIntegerLiteral
{
  package enum CodingKeys: String, CodingKey, CaseIterable {
    case height, width
  }

  /// H in pixels: rows.
  public var height: Int
  /// W in pixels: pixels in a row.
  public var width: Int

  /// A size of the given height and width.
  public init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }

  /// A square.
  public init(_ side: Int) {
    self.init(height: side, width: side)
  }

  /// A square.
  public init(integerLiteral side: Int) { self.init(side) }

  /// For example `224×224` (height first).
  public var description: String { "\(height)×\(width)" }
}
