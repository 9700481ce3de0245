// SPDX-License-Identifier: Apache-2.0
import CMUXKernels
import Testing

@Suite("Copies of inputs that must be finite")
struct CopyFiniteTests {
  /// None, one, around a vector of 8 or 16 lanes, and around four of them.
  static let counts = [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 131]

  @Test("Finite numbers are copied, the greatest and the smallest as well", arguments: counts)
  func finite(_ count: Int) {
    var noise = Noise(seed: UInt64(count))
    let from = noise.buffer(count)
    if count > 1 {
      from.pointer[0] = .greatestFiniteMagnitude
      from.pointer[count - 1] = -.leastNonzeroMagnitude
    }
    for isa in availableVariants {
      let to = Buffer(count, repeating: Float.nan)
      #expect(mux_copy_finite(isa, to.pointer, from.pointer, count))
      #expect(to.array == from.array)
    }
  }

  @Test("Whatever place a number has that is not finite, it is found", arguments: counts)
  func infinite(_ count: Int) {
    for bad in [Float.nan, .infinity, -.infinity] {
      for place in 0..<count {
        let from = Buffer(count, repeating: Float(1))
        from.pointer[place] = bad
        for isa in availableVariants {
          let to = Buffer(count, repeating: Float(0))
          #expect(!mux_copy_finite(isa, to.pointer, from.pointer, count), "\(bad) at \(place)")
        }
      }
    }
  }
}
