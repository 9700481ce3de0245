// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXNetworks

/// A safetensors file from a header text and data.
func safetensors(_ header: String, data: [UInt8] = [], claimedLength: UInt64? = nil) -> ByteRegion {
  let length = claimedLength ?? UInt64(header.utf8.count)
  return ByteRegion(withUnsafeBytes(of: length.littleEndian) { [UInt8]($0) } + header.utf8 + data)
}

extension Network {
  /// The smallest MUXNet, for grey images of 8×8 pixels of 10 classes.
  static func digits() throws -> Network {
    try ModelZoo.architecture(named: "muxnet_xs")
      .applying(
        ModelOptions(classes: 10, inputChannels: 1, inputSize: ImageSize(8), outputStride: 4)
      ).network()
  }
}
