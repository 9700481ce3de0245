// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXPyTorch
import MUXWeights

/// A PyTorch file around a pickle, with the storages `0`, `1`, …
func pyTorchFile(_ pickle: [UInt8], storages: [[UInt8]] = []) throws -> ByteRegion {
  var zip = ZipWriter()
  try zip.add("archive/data.pkl", ByteRegion(pickle))
  for (index, storage) in storages.enumerated() {
    try zip.add("archive/data/\(index)", ByteRegion(storage))
  }
  return ByteRegion(zip.finished().flatMap(\.array))
}

/// The pickle of `{"weight": tensor}`; sizes and strides below 128.
func tensorPickle(
  count: UInt8, offset: UInt8 = 0, shape: [UInt8], strides: [UInt8],
  storage: String = "FloatStorage"
) -> [UInt8] {
  func text(_ text: String) -> [UInt8] { [0x8c, UInt8(text.utf8.count)] + text.utf8 }
  func tuple(_ values: [UInt8]) -> [UInt8] {
    Array("(".utf8) + values.flatMap { [UInt8(ascii: "K"), $0] } + Array("t".utf8)
  }
  let reference =
    Array("(".utf8) + text("storage") + Array("ctorch\n\(storage)\n".utf8) + text("0")
    + text("cpu") + [UInt8(ascii: "K"), count] + Array("tQ".utf8)
  return [0x80, 2] + Array("}".utf8) + text("weight")
    + Array("ctorch._utils\n_rebuild_tensor_v2\n(".utf8) + reference
    + [UInt8(ascii: "K"), offset] + tuple(shape) + tuple(strides)
    + [0x89] + Array("ccollections\nOrderedDict\n)RtRs.".utf8)
}
