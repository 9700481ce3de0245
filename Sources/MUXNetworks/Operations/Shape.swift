// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// The shape of one sample, [C, H, W]; features after a flatten are [F, 1, 1].
public struct Shape: Sendable, Hashable, Codable, CustomStringConvertible {
  /// C.
  public var channels: Int
  /// H in pixels.
  public var height: Int
  /// W in pixels.
  public var width: Int

  /// [channels, height, width].
  public init(channels: Int, height: Int = 1, width: Int = 1) {
    self.channels = channels
    self.height = height
    self.width = width
  }

  /// C·H·W.
  public var count: Int { channels * height * width }

  /// For example `24×112×112`.
  public var description: String { "\(channels)×\(height)×\(width)" }
}

/// Height and width of an image or a plane.
public typealias ImageSize = MUXCore.ImageSize
