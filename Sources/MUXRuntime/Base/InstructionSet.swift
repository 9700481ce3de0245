// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels

/// The variants of the kernels.
public enum InstructionSet: String, Sendable, Hashable, CaseIterable, Codable {
  /// What every processor of the architecture has, through the compiler's vectors (NEON on Arm).
  case generic
  /// AVX2 with fused multiply-add.
  case avx2
  /// AVX-512 (F, VL, DQ, BW).
  case avx512

  var kernels: mux_isa {
    switch self {
    case .generic: MUX_ISA_GENERIC
    case .avx2: MUX_ISA_AVX2
    case .avx512: MUX_ISA_AVX512
    }
  }

  /// Whether this processor can run it.
  public var isAvailable: Bool { mux_isa_available(kernels) }

  /// The best one here, or the one that the environment variable MUXNET_ISA names.
  public static var current: InstructionSet {
    let current = mux_isa_current()
    return allCases.first { $0.kernels == current } ?? .generic
  }

  /// The channels that a vector holds.
  package var lanes: Int { Int(mux_inference_lanes(kernels)) }

  /// The name of the kernels that multiply in a precision here: "avx512", "avx512cells", "neondot".
  public func kernels(for precision: Precision) -> String {
    String(cString: mux_variant_name(mux_precision_variant(kernels, precision.kernels)))
  }

  /// Multiply-adds per second that one core reaches with operands in registers, measured now; 0 for
  /// a set that this processor lacks (``isAvailable``).
  public func measuredPeak() -> Double { isAvailable ? mux_inference_peak(kernels) : 0 }
}
