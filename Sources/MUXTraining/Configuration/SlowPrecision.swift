// SPDX-License-Identifier: Apache-2.0
public import MUXEvaluation
public import MUXTensor

extension ArithmeticPrecision {
  /// What to say where libtorch is slower in this precision than in single precision; nil where it is
  /// not.
  ///
  /// On processors it converts in front of every convolution and back, and the fused training steps of
  /// this package are in single precision only: both smaller precisions are slower there, with
  /// instructions for bfloat16, too (Docs/TRAINING.md has the times).
  public func slowness(on device: Device) -> String? {
    guard device == .cpu, self != .float32 else { return nil }
    return "\(rawValue) is slower than float32 on a processor"
      + (self == .float16 ? ", many times so" : "") + "; leave the precision at float32"
  }
}
