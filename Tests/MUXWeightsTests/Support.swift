// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// A safetensors file from a header text and data.
func safetensors(_ header: String, data: [UInt8] = [], claimedLength: UInt64? = nil) -> ByteRegion {
  let length = claimedLength ?? UInt64(header.utf8.count)
  return ByteRegion(withUnsafeBytes(of: length.littleEndian) { [UInt8]($0) } + header.utf8 + data)
}
