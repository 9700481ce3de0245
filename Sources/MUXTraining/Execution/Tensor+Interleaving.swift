// SPDX-License-Identifier: Apache-2.0
import MUXTensor

extension Tensor {
  /// Channel i·g + j of the result is channel i of tensor j: the concatenation of g tensors
  /// [N, C, H, W] shuffled in g groups, with one copy instead of two.
  static func interleavingChannels(_ tensors: [Tensor]) throws(TorchError) -> Tensor {
    var pixels: [Tensor] = []
    for tensor in tensors { pixels.append(try tensor.permute([0, 2, 3, 1])) }
    return try stack(pixels, dimension: 4).flatten(from: 3).permute([0, 3, 1, 2])
  }
}
