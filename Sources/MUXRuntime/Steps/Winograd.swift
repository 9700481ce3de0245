// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks

/// A dense 3×3 convolution as products of transformed tiles, which take fewer multiply-adds: 36 for 16
/// outputs, or 16 for 4, of a pair of channels, instead of 144 or 36.
struct Winograd: Hashable, Sendable {
  /// Outputs of a tile's side: 4 or 2.
  var side: Int
  /// Tiles of an image.
  var tiles: Int

  /// Products for a tile and a pair of channels.
  var places: Int { (side + 2) * (side + 2) }

  /// Parts of the tiles, each of which reads all weights once.
  var bands: Int { (tiles + Self.tilesPerBand - 1) / Self.tilesPerBand }
  /// Tiles of the largest part.
  var tilesPerTask: Int { (tiles + bands - 1) / bands }

  /// With fewer the weights, which are transformed and so 16/9 or four times as large, are read from
  /// distant memory faster than that gives them.
  private static let tilesPerBand = 28

  private init(side: Int, _ size: ImageSize) {
    self.side = side
    tiles = (size.height + side - 1) / side * ((size.width + side - 1) / side)
  }

  /// The tiles that a convolution takes the least time with; nil if these are plain sums of products, or if
  /// it has no tiles.
  ///
  /// - Parameters:
  ///   - convolution: The convolution.
  ///   - outputs: How many of its channels are computed.
  ///   - size: Rows and columns of the result.
  static func best(_ convolution: Convolution, outputs: Int, size: ImageSize) -> Winograd? {
    guard convolution.kernelSize == 3, convolution.stride == 1, convolution.dilation == 1,
      convolution.groups == 1, convolution.inputChannels >= 16, outputs >= 8
    else { return nil }
    let channels = convolution.inputChannels
    // In multiply-adds for each pair of channels. To read a weight takes as long as some 10 of them.
    let plain = Double(9 * size.height * size.width + 90)
    func cost(_ tiles: Winograd, input: Double, output: Double) -> Double {
      let transforms = input / Double(outputs) + output / Double(channels)
      return Double(tiles.places * (tiles.tiles + 10)) + Double(tiles.tiles) * transforms
    }
    let small = Winograd(side: 2, size), large = Winograd(side: 4, size)
    let costs = (
      small: cost(small, input: 110, output: 90), large: cost(large, input: 340, output: 300)
    )
    // Larger weights must be worth their memory.
    if costs.large < 0.85 * min(costs.small, plain) { return large }
    return costs.small < 0.7 * plain ? small : nil
  }
}
