// SPDX-License-Identifier: Apache-2.0
internal import CTorch

// The pixel moves of spatial multiplexing (paper, section 3.1). All give channels-last memory.
extension Tensor {
  /// Subpixel multiplexing: windows of r × r pixels become r² groups of channels,
  /// [N, C, H, W] → [N, r²·C, H / r, W / r].
  ///
  /// Phase-major: channel (y·r + x)·C + c holds channel c of the pixel (y, x) in each window. H and
  /// W must be multiples of r.
  public func spaceToChannel(_ ratio: Int) throws(TorchError) -> Tensor {
    try make { ct_space_to_channel(handle, Int64(ratio), $0) }
  }

  /// Superpixel multiplexing: the exact inverse of `spaceToChannel`,
  /// [N, C, H, W] → [N, C / r², r·H, r·W]. C must be a multiple of r².
  public func channelToSpace(_ ratio: Int) throws(TorchError) -> Tensor {
    try make { ct_channel_to_space(handle, Int64(ratio), $0) }
  }

  /// Channel shuffle: channel i·groups + j of the result is channel j·(C / groups) + i.
  public func channelShuffle(groups: Int) throws(TorchError) -> Tensor {
    try make { ct_channel_shuffle(handle, Int64(groups), $0) }
  }
}
