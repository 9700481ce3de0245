// SPDX-License-Identifier: Apache-2.0

/// A rectangle by its edges, in whatever unit; edges lie between pixels.
public struct BoundingBox: Sendable, Hashable, Codable {
  /// The left edge.
  public var left: Double
  /// The upper edge.
  public var top: Double
  /// The right edge.
  public var right: Double
  /// The lower edge.
  public var bottom: Double

  /// A box of its edges.
  public init(left: Double, top: Double, right: Double, bottom: Double) {
    self.left = left
    self.top = top
    self.right = right
    self.bottom = bottom
  }

  /// From the left to the right edge.
  public var width: Double { right - left }
  /// From the upper to the lower edge.
  public var height: Double { bottom - top }
  /// Width times height.
  public var area: Double { width * height }

  /// The area that two boxes share.
  public func intersection(_ other: BoundingBox) -> Double {
    let width = min(right, other.right) - max(left, other.left)
    let height = min(bottom, other.bottom) - max(top, other.top)
    return width > 0 && height > 0 ? width * height : 0
  }

  /// Intersection over union, 0…1; not a number for two boxes without area.
  public func overlap(_ other: BoundingBox) -> Double {
    let shared = intersection(other)
    return shared / (area + other.area - shared)
  }

  /// The box with each coordinate multiplied.
  package func scaled(x: Double, y: Double) -> BoundingBox {
    BoundingBox(left: left * x, top: top * y, right: right * x, bottom: bottom * y)
  }

  /// What of the box lies in an image of a size; nil where nothing does, or where it is none.
  package func clipped(width: Double, height: Double) -> BoundingBox? {
    let result = BoundingBox(
      left: max(left, 0), top: max(top, 0), right: min(right, width), bottom: min(bottom, height))
    return result.left < result.right && result.top < result.bottom ? result : nil
  }
}
