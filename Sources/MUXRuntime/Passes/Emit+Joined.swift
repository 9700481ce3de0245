// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import MUXNetworks

/// Windows whose products are of groups of channels: one tap of 4 channels of 8 bits, or of 2 of bfloat16,
/// where packed files have groups of taps. Of 3×3 windows a quarter of the groups of taps is empty, of 1×1
/// windows with a stride three quarters.
extension Emission {
  /// Where the groups lie, and how many there are.
  func emitJoined(_ convolution: Convolution, _ dense: DenseStep, _ result: inout mux_dense) {
    let values = dense.precision.valuesPerGroup
    let kernel = convolution.kernelSize, stride = convolution.stride
    let groups = (convolution.inputChannels + values - 1) / values
    let length = (dense.size.width - 1) * stride + (kernel - 1) * convolution.dilation + 1
    let part = (length + stride - 1) / stride
    result.joins_channels = 1
    result.cells = groups * kernel * kernel
    result.inner = result.cells * values
    result.offsets = memory.copy(
      (0..<groups * kernel).flatMap { row in
        (0..<kernel).map { tap in
          let column = tap * convolution.dilation
          return Int32((row * stride + column % stride) * part + column / stride)
        }
      })
  }

  /// The weights of groups of taps, [block][channel][row][group of taps][lane], as those of groups of
  /// channels, [block][group of channels][row][tap][lane].
  func joined(
    _ packed: PackedArray<Int32>, _ convolution: Convolution, _ precision: Precision
  ) -> [Int32] {
    let values = precision.valuesPerGroup, bits = 32 / values
    let mask = UInt32.max >> UInt32(32 - bits)
    let kernel = convolution.kernelSize, channels = convolution.inputChannels
    let perRow = (kernel + values - 1) / values, groups = (channels + values - 1) / values
    return packed.withUnsafeBufferPointer { packed in
      let blocks = packed.count / (channels * kernel * perRow * lanes)
      var joined = [Int32]()
      joined.reserveCapacity(blocks * groups * kernel * kernel * lanes)
      for block in 0..<blocks {
        for group in 0..<groups {
          for place in 0..<kernel * kernel {
            let row = place / kernel, tap = place % kernel
            for lane in 0..<lanes {
              var result: UInt32 = 0
              for value in 0..<min(values, channels - group * values) {
                let channel = group * values + value
                let line = (block * channels + channel) * kernel + row
                let taps = packed[(line * perRow + tap / values) * lanes + lane]
                let weight = UInt32(bitPattern: taps) >> UInt32(tap % values * bits) & mask
                result |= weight << UInt32(value * bits)
              }
              joined.append(Int32(bitPattern: result))
            }
          }
        }
      }
      return joined
    }
  }
}
