// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Boxes as offsets from default boxes, which is what a detector gives: the way of the centre in sides of
/// the default box, and the logarithm of how much larger it is, each divided by a "variance".
public struct BoxCoding: Sendable, Hashable {
  /// What offsets of centres are divided by.
  public var centerVariance = 0.1
  /// What offsets of sides are divided by.
  public var sizeVariance = 0.2
  /// The greatest logarithm of how much larger a decoded box is than its default box; nil for none.
  public var limit: Double?

  /// The coding of all public detectors of this kind.
  public init(limit: Double? = nil) {
    self.limit = limit
  }

  /// The offsets of a box, which must have an area, from a default box.
  public func encoded(_ box: BoundingBox, from priors: PriorBoxes, _ index: Int) -> [Double] {
    let (x, y, width, height) = Self.row(priors, index)
    return [
      ((box.left + box.right) / 2 - x) / width / centerVariance,
      ((box.top + box.bottom) / 2 - y) / height / centerVariance,
      log(box.width / width) / sizeVariance, log(box.height / height) / sizeVariance,
    ]
  }

  /// The box of offsets from a default box; it may reach beyond the image.
  public func decoded(
    _ offsets: (Float, Float, Float, Float), from priors: PriorBoxes, _ index: Int
  ) -> BoundingBox {
    let (x, y, width, height) = Self.row(priors, index)
    func side(_ offset: Float, _ side: Double) -> Double {
      let power = Double(offset) * sizeVariance
      return side * exp(limit.map { min(power, $0) } ?? power)
    }
    let centerX = x + Double(offsets.0) * centerVariance * width
    let centerY = y + Double(offsets.1) * centerVariance * height
    let (halfX, halfY) = (side(offsets.2, width) / 2, side(offsets.3, height) / 2)
    return BoundingBox(
      left: centerX - halfX, top: centerY - halfY, right: centerX + halfX, bottom: centerY + halfY)
  }

  private static func row(
    _ priors: PriorBoxes, _ index: Int
  ) -> (Double, Double, Double, Double) {
    let rows = priors.rows, start = 4 * index
    return (
      Double(rows[start]), Double(rows[start + 1]), Double(rows[start + 2]), Double(rows[start + 3])
    )
  }
}
