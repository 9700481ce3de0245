// SPDX-License-Identifier: Apache-2.0

/// Σ aᵢ bᵢ in eight sums at a time, always in the same order.
@inline(__always)
func dotProduct(_ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ count: Int) -> Double {
  let (left, right) = (UnsafeRawPointer(a), UnsafeRawPointer(b))
  let stride = MemoryLayout<SIMD8<Double>>.size
  var sums = SIMD8<Double>.zero
  let whole = count / 8
  for group in 0..<whole {
    sums +=
      left.loadUnaligned(fromByteOffset: group * stride, as: SIMD8<Double>.self)
      * right.loadUnaligned(fromByteOffset: group * stride, as: SIMD8<Double>.self)
  }
  var sum = sums.sum()
  for place in whole * 8..<max(count, whole * 8) { sum += a[place] * b[place] }
  return sum
}
