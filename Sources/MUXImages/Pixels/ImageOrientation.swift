// SPDX-License-Identifier: Apache-2.0

/// What is done with the orientation that cameras write into a file (EXIF).
public enum OrientationHandling: String, Sendable, Hashable, Codable, CaseIterable {
  /// The picture is turned and mirrored until it is upright.
  case applied
  /// The picture comes as it is stored, as in torchvision's data sets.
  case ignored
}

/// How a stored picture lies, in EXIF's numbers: cameras store the sensor's rows and note how they
/// were held.
package enum ImageOrientation: UInt8, Sendable, CaseIterable {
  /// The first row is the top, the first column the left.
  case upright = 1
  /// Left and right are exchanged.
  case mirrored
  /// Turned by half a turn.
  case upsideDown
  /// Top and bottom are exchanged.
  case mirroredUpsideDown
  /// Rows are columns.
  case transposed
  /// To be turned to the right by a quarter.
  case turnedLeft
  /// Rows are columns, both from the other end.
  case transversed
  /// To be turned to the left by a quarter.
  case turnedRight

  /// Whether width and height change places.
  package var swapsSides: Bool { rawValue >= 5 }
}

extension Image {
  /// The picture upright, if it is stored as `orientation` says.
  package func upright(from orientation: ImageOrientation) -> Image {
    guard orientation != .upright else { return self }
    let (fromRight, fromBottom): (Bool, Bool) =
      switch orientation {
      case .upright, .transposed: (false, false)
      case .mirrored, .turnedRight: (true, false)
      case .upsideDown, .transversed: (true, true)
      case .mirroredUpsideDown, .turnedLeft: (false, true)
      }
    let channels = self.channels
    return Image(
      width: orientation.swapsSides ? height : width,
      height: orientation.swapsSides ? width : height, channels: channels
    ) { target in
      withPixels { source in
        // A step to the right and one down in the result, in the stored picture.
        let column = (fromRight ? -1 : 1) * channels
        let row = (fromBottom ? -1 : 1) * width * channels
        let origin =
          source + ((fromBottom ? height - 1 : 0) * width + (fromRight ? width - 1 : 0)) * channels
        if orientation.swapsSides {
          copyTiles(
            from: origin, right: row, down: column, to: target, width: height, height: width)
        } else {
          copyTiles(
            from: origin, right: column, down: row, to: target, width: width, height: height)
        }
      }
    }
  }

  /// Copies square by square, so that neither side leaves the cache while columns become rows.
  private func copyTiles(
    from source: UnsafePointer<UInt8>, right: Int, down: Int,
    to target: UnsafeMutablePointer<UInt8>, width: Int, height: Int
  ) {
    let side = 64
    let isGrey = channels == 1
    for top in stride(from: 0, to: height, by: side) {
      for left in stride(from: 0, to: width, by: side) {
        for y in top..<min(height, top + side) {
          var from = source + (y * down + left * right)
          var to = target + (y * width + left) * channels
          for _ in left..<min(width, left + side) {
            to[0] = from[0]
            if !isGrey {
              to[1] = from[1]
              to[2] = from[2]
            }
            to += channels
            from += right
          }
        }
      }
    }
  }
}
