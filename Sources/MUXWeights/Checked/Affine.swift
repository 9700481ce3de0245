// SPDX-License-Identifier: Apache-2.0

/// scale[c] · x + shift[c] for each channel c: what a batch norm does in inference.
package struct Affine<Value: BinaryFloatingPoint & Sendable>: Sendable {
  /// What each channel is multiplied by.
  package var scale: [Value]
  /// What is added to each channel after that.
  package var shift: [Value]

  /// One that changes nothing.
  package init(channels: Int) {
    scale = Array(repeating: 1, count: channels)
    shift = Array(repeating: 0, count: channels)
  }

  /// Applies `next` after this.
  package mutating func then(_ next: Affine) {
    for c in scale.indices {
      scale[c] *= next.scale[c]
      shift[c] = shift[c] * next.scale[c] + next.shift[c]
    }
  }

  /// Adds a bias before this.
  package mutating func after(bias: [Value]) {
    for c in bias.indices { shift[c] += bias[c] * scale[c] }
  }
}
