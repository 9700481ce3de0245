// SPDX-License-Identifier: Apache-2.0
import CMUXKernels

/// One spatial convolution with random data, and what kernels and reference make of it.
final class SpatialCase: CustomStringConvertible {
  struct Branch: Sendable {
    var channels: Int
    var kernel: Int
    var groupWidth = 1
    var multiplex = 0
  }

  struct Outcome: Equatable {
    var output: [Float]
    var inputGradient: [Float]
    var weightGradients: [[Float]]
    var sums: [[Double]]
  }

  let description: String
  let activation: mux_activation
  private let branches: UnsafeMutablePointer<mux_spatial_branch>
  var operation: mux_spatial
  let channels: Int
  let pixels: Int
  let outputPixels: Int
  /// Wider than the channels, so that writes beside them are seen.
  let inputStride: Int
  let outputStride: Int
  let weights: [Buffer<Float>]
  let input: Buffer<Float>
  let gradient: Buffer<Float>
  /// scale, shift of the input; scale, shift of the output; gate, pooled, k0, k1, k2.
  let coefficients: [Buffer<Float>]

  init(
    height: Int, width: Int, stride: Int = 1, factor: Int = 2, branches list: [Branch],
    activation: mux_activation = mux_usual_activation(MUX_SWISH), seed: UInt64 = 1
  ) {
    description = "\(height)×\(width) stride \(stride) r \(factor) \(list) \(activation)"
    self.activation = activation
    channels = list.reduce(0) { $0 + $1.channels }
    branches = .allocate(capacity: list.count)
    for (index, branch) in list.enumerated() {
      (branches + index).initialize(
        to: mux_spatial_branch(
          channels: Int32(branch.channels), kernel: Int32(branch.kernel),
          group_width: Int32(branch.groupWidth), multiplex: Int32(branch.multiplex)))
    }
    operation = mux_spatial(
      height: Int32(height), width: Int32(width), channels: Int32(channels),
      stride: Int32(stride), factor: Int32(factor), branch_count: Int32(list.count),
      branches: branches)
    pixels = height * width
    outputPixels = ((height - 1) / stride + 1) * ((width - 1) / stride + 1)
    inputStride = channels + 3
    outputStride = channels + 1
    var noise = Noise(seed: seed)
    var buffers: [Buffer<Float>] = []
    for index in list.indices {
      buffers.append(noise.buffer(mux_spatial_weight_count(&operation, Int32(index))))
    }
    weights = buffers
    input = noise.buffer(pixels * inputStride)
    gradient = noise.buffer(outputPixels * outputStride)
    coefficients = (0..<9).map { _ in noise.buffer(list.reduce(0) { $0 + $1.channels }) }
  }

  deinit { branches.deallocate() }

  private var inputTransform: mux_transform {
    mux_transform(
      scale: coefficients[0].pointer, shift: coefficients[1].pointer, activation: activation)
  }

  private func forwardArguments(_ output: Buffer<Float>, _ sums: [Buffer<Double>])
    -> mux_spatial_forward_arguments
  {
    mux_spatial_forward_arguments(
      packed: nil, input: input.pointer, input_stride: inputStride,
      input_transform: inputTransform, output: output.pointer, output_stride: outputStride,
      sum: sums[0].pointer, sum_squares: sums[1].pointer)
  }

  private func backwardArguments(
    _ output: Buffer<Float>, _ inputGradient: Buffer<Float>, _ sums: [Buffer<Double>]
  ) -> mux_spatial_backward_arguments {
    mux_spatial_backward_arguments(
      packed: nil, output_gradient: gradient.pointer, output_gradient_stride: outputStride,
      output: output.pointer, output_stride: outputStride,
      output_transform: mux_transform(
        scale: coefficients[2].pointer, shift: coefficients[3].pointer, activation: activation),
      gate: coefficients[4].pointer, pooled: coefficients[5].pointer,
      k0: coefficients[6].pointer, k1: coefficients[7].pointer, k2: coefficients[8].pointer,
      input: input.pointer, input_stride: inputStride, input_transform: inputTransform,
      input_gradient: inputGradient.pointer, input_gradient_stride: inputStride,
      weight_gradient: nil, sum_gradient: sums[2].pointer, sum_gradient_input: sums[3].pointer)
  }

  /// Forward and backward by the kernels in use. Scratch starts as `dirt` and is followed by a
  /// sentinel; `shift` floats spoil its alignment.
  func kernels(dirt: Float = .nan, shift: Int = 0) -> Outcome {
    let output = Buffer(outputPixels * outputStride, repeating: Float(0))
    let inputGradient = Buffer(pixels * inputStride, repeating: Float(0))
    let sums = (0..<4).map { _ in Buffer(channels, repeating: Double.nan) }
    let packed = Buffer(mux_spatial_packed_count(&operation), repeating: dirt)
    let packedGradient = Buffer(mux_spatial_gradient_count(&operation), repeating: Float(0))
    let count = mux_spatial_scratch_count(&operation)
    let scratch = Buffer(count + shift + 16, repeating: dirt)
    for index in 0..<16 { scratch.pointer[count + shift + index] = 12345 }
    let pointers: [UnsafePointer<Float>?] = weights.map { UnsafePointer($0.pointer) }
    mux_spatial_pack(&operation, pointers, packed.pointer)

    var forward = forwardArguments(output, sums)
    forward.packed = UnsafePointer(packed.pointer)
    mux_spatial_forward(&operation, &forward, scratch.pointer + shift)

    var backward = backwardArguments(output, inputGradient, sums)
    backward.packed = UnsafePointer(packed.pointer)
    backward.weight_gradient = packedGradient.pointer
    for index in 0..<count { scratch.pointer[index + shift] = dirt }
    mux_spatial_backward(&operation, &backward, scratch.pointer + shift)

    let gradients = weights.map { Buffer($0.count, repeating: Float(0)) }
    let gradientPointers: [UnsafeMutablePointer<Float>?] = gradients.map(\.pointer)
    mux_spatial_unpack_gradient(&operation, packedGradient.pointer, gradientPointers)
    let intact = (0..<16).allSatisfy { scratch.pointer[count + shift + $0] == 12345 }
    return Outcome(
      output: intact ? output.array : [], inputGradient: inputGradient.array,
      weightGradients: gradients.map(\.array), sums: sums.map(\.array))
  }

  /// The same by the scalar reference; `output` is what backward takes as the raw output.
  func reference(output given: [Float]? = nil) -> Outcome {
    let output = Buffer(outputPixels * outputStride, repeating: Float(0))
    let inputGradient = Buffer(pixels * inputStride, repeating: Float(0))
    let sums = (0..<4).map { _ in Buffer(channels, repeating: Double.nan) }
    let pointers: [UnsafePointer<Float>?] = weights.map { UnsafePointer($0.pointer) }
    var forward = forwardArguments(output, sums)
    precondition(mux_spatial_reference_forward(&operation, &forward, pointers))
    let result = output.array
    if let given {
      for (index, value) in given.enumerated() { output.pointer[index] = value }
    }
    var backward = backwardArguments(output, inputGradient, sums)
    let gradients = weights.map { Buffer($0.count, repeating: Float(0)) }
    let gradientPointers: [UnsafeMutablePointer<Float>?] = gradients.map(\.pointer)
    precondition(
      mux_spatial_reference_backward(&operation, &backward, pointers, gradientPointers))
    return Outcome(
      output: result, inputGradient: inputGradient.array,
      weightGradients: gradients.map(\.array), sums: sums.map(\.array))
  }

  /// The largest relative error of any result of the kernels.
  func error() -> Double {
    let actual = kernels()
    guard !actual.output.isEmpty else { return .infinity }
    let expected = reference(output: actual.output)
    var worst = relativeError(actual.output, expected.output)
    worst = max(worst, relativeError(actual.inputGradient, expected.inputGradient))
    for (a, e) in zip(actual.weightGradients, expected.weightGradients) {
      worst = max(worst, relativeError(a, e))
    }
    for (a, e) in zip(actual.sums, expected.sums) { worst = max(worst, relativeError(a, e)) }
    return worst
  }
}
