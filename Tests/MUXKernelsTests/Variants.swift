// SPDX-License-Identifier: Apache-2.0
import CMUXKernels
import Foundation

/// The instruction sets this machine can run.
let availableVariants = (0..<UInt32(MUX_ISA_COUNT)).map { mux_isa(rawValue: $0) }
  .filter { mux_isa_available($0) }

/// Runs `body` with the kernels of one instruction set: the choice is the thread's, so that nothing
/// that runs beside it sees another one.
func withVariant<Result>(_ isa: mux_isa, _ body: () throws -> Result) rethrows -> Result {
  let before = mux_isa_current()
  defer { _ = mux_isa_select(before) }
  precondition(mux_isa_select(isa))
  return try body()
}

/// Uniform numbers in -1...1 by SplitMix64.
struct Noise {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> Float {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Float((z ^ (z >> 31)) >> 40) / Float(1 << 23) - 1
  }

  mutating func buffer(_ count: Int) -> Buffer<Float> {
    Buffer((0..<count).map { _ in next() })
  }
}

/// The largest difference over the largest expected magnitude; infinite where there is a NaN.
func relativeError<T: BinaryFloatingPoint>(_ actual: [T], _ expected: [T]) -> Double {
  precondition(actual.count == expected.count)
  var difference = 0.0
  var magnitude = 1e-12
  for (a, e) in zip(actual, expected) {
    let d = abs(Double(a) - Double(e))
    if d.isNaN { return .infinity }
    difference = max(difference, d)
    magnitude = max(magnitude, abs(Double(e)))
  }
  return difference / magnitude
}
