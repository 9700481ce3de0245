// SPDX-License-Identifier: Apache-2.0

// `Float16` is missing from macOS on Intel, so the two narrow formats are handled as bits.
extension Float {
  /// The value of an IEEE half-precision number.
  init(halfPrecisionBits bits: UInt16) {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10) & 0x1f
    let fraction = UInt32(bits & 0x3ff)
    switch exponent {
    case 0:
      // Zero and subnormals: fraction · 2⁻²⁴, exact in single precision.
      let magnitude = Float(fraction) * 0x1p-24
      self = Float(bitPattern: magnitude.bitPattern | sign)
    case 31:
      self = Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
    default:
      self = Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }

  /// The nearest half-precision number, ties to even; infinite where it is too large.
  var halfPrecisionBits: UInt16 {
    let sign = UInt16(truncatingIfNeeded: bitPattern >> 16) & 0x8000
    if isNaN { return sign | 0x7e00 }
    let size = magnitude
    if size >= 65520 { return sign | 0x7c00 }
    if size < 0x1p-14 {
      // Subnormal: an integer number of 2⁻²⁴; rounding up to 1024 gives the first normal number.
      return sign | UInt16((size * 0x1p24).rounded(.toNearestOrEven))
    }
    let bits = size.bitPattern
    let rounded = bits + 0xfff + ((bits >> 13) & 1)
    return sign | UInt16((rounded >> 13) - (112 << 10))
  }

  /// The nearest bfloat16 number, ties to even.
  var bfloat16Bits: UInt16 {
    if isNaN { return UInt16(truncatingIfNeeded: bitPattern >> 16) | 0x40 }
    return UInt16(truncatingIfNeeded: (bitPattern &+ 0x7fff &+ ((bitPattern >> 16) & 1)) >> 16)
  }
}
