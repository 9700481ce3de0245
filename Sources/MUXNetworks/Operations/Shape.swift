// SPDX-License-Identifier: Apache-2.0

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

/// The height and width of an image in pixels.
public struct ImageSize: Sendable, Hashable, Codable, CustomStringConvertible {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case height, width
  }

  /// H in pixels.
  public var height: Int
  /// W in pixels.
  public var width: Int

  /// An image of the given height and width.
  public init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }

  /// A square image.
  public init(_ side: Int) {
    self.init(height: side, width: side)
  }

  /// For example `224×224` (height first).
  public var description: String { "\(height)×\(width)" }
}
