// SPDX-License-Identifier: Apache-2.0
internal import CTorch

/// A stream of random numbers for tensors, whose whole state can be saved and put back.
///
/// There is no global one: same seed, same device, same calls give the same numbers.
public final class TorchGenerator {
  let handle: ct_generator
  /// The device whose tensors it can fill.
  public let device: Device

  /// A stream that starts from the seed.
  public init(seed: UInt64, device: Device = .cpu) throws(TorchError) {
    try TorchRuntime.check()
    try device.requireAvailable()
    var handle: ct_generator?
    try succeed(ct_generator_new(device.kind, Int32(device.index), seed, &handle))
    guard let handle else { throw .operation("no generator") }
    self.handle = handle
    self.device = device
  }

  deinit { ct_generator_release(handle) }

  /// Starts again from a seed.
  public func reseed(_ seed: UInt64) throws(TorchError) {
    try succeed(ct_generator_seed(handle, seed))
  }

  /// The state, for a checkpoint.
  public func state() throws(TorchError) -> [UInt8] {
    try make { ct_generator_state(handle, $0) }.bytes()
  }

  /// Puts back a state that `state()` gave for the same kind of device.
  public func restore(_ state: [UInt8]) throws(TorchError) {
    let tensor = try Tensor(state)
    let text = withExtendedLifetime(tensor) { ct_generator_set_state(handle, tensor.handle) }
    try succeed(text)
  }

  /// The numbers 0..<count in random order, `int64` on the CPU.
  public func permutation(_ count: Int) throws(TorchError) -> Tensor {
    try make { ct_permutation(Int64(count), handle, $0) }
  }

  /// Numbers of the normal distribution, on the generator's device.
  public func normal(
    _ shape: [Int], mean: Double = 0, deviation: Double = 1, dtype: DType = .float32
  ) throws(TorchError) -> Tensor {
    let tensor = try Tensor.empty(shape, dtype: dtype, device: device)
    try tensor.fillNormalInPlace(mean: mean, deviation: deviation, generator: self)
    return tensor
  }

  /// Numbers evenly spread over [low, high), on the generator's device.
  public func uniform(
    _ shape: [Int], low: Double = 0, high: Double = 1, dtype: DType = .float32
  ) throws(TorchError) -> Tensor {
    let tensor = try Tensor.empty(shape, dtype: dtype, device: device)
    try tensor.fillUniformInPlace(low: low, high: high, generator: self)
    return tensor
  }

  /// Whole numbers of a range, `int64` unless told otherwise, on the generator's device.
  public func integers(
    _ shape: [Int], in range: Range<Int>, dtype: DType = .int64
  ) throws(TorchError) -> Tensor {
    let tensor = try Tensor.empty(shape, dtype: dtype, device: device)
    try succeed(
      ct_random_(
        tensor.handle, Int32(CT_INTEGERS.rawValue), Double(range.lowerBound),
        Double(range.upperBound), handle))
    return tensor
  }
}

@available(*, unavailable)
extension TorchGenerator: Sendable {}

extension Tensor {
  /// Overwrites the elements with numbers of the normal distribution.
  func fillNormalInPlace(
    mean: Double = 0, deviation: Double = 1, generator: TorchGenerator
  ) throws(TorchError) {
    try succeed(
      ct_random_(handle, Int32(CT_NORMAL.rawValue), mean, deviation, generator.handle))
  }

  /// Overwrites the elements with numbers evenly spread over [low, high).
  func fillUniformInPlace(
    low: Double = 0, high: Double = 1, generator: TorchGenerator
  ) throws(TorchError) {
    try succeed(ct_random_(handle, Int32(CT_UNIFORM.rawValue), low, high, generator.handle))
  }

  /// Overwrites the elements with ones, each with the given probability, and zeros.
  public func fillBernoulliInPlace(
    probability: Double, generator: TorchGenerator
  ) throws(TorchError) {
    try succeed(
      ct_random_(handle, Int32(CT_BERNOULLI.rawValue), probability, 0, generator.handle))
  }
}
