// SPDX-License-Identifier: Apache-2.0
import CMUXKernels
import Testing

/// The reference itself: small cases by hand, and its gradients against differences.
@Suite("Scalar reference of the spatial convolutions")
struct SpatialReferenceTests {
  /// One image of one channel slice without transform, through the reference.
  private func convolve(
    _ input: [Float], height: Int, width: Int, branch: SpatialCase.Branch, weights: [Float]
  ) -> [Float] {
    let item = SpatialCase(height: height, width: width, branches: [branch])
    let source = Buffer(input)
    let kernel = Buffer(weights)
    #expect(weights.count == item.weights[0].count)
    let output = Buffer(input.count, repeating: Float(0))
    var arguments = mux_spatial_forward_arguments(
      packed: nil, input: source.pointer, input_stride: branch.channels,
      input_transform: mux_transform(
        scale: nil, shift: nil, activation: mux_usual_activation(MUX_IDENTITY)),
      output: output.pointer, output_stride: branch.channels, sum: nil, sum_squares: nil)
    #expect(
      mux_spatial_reference_forward(&item.operation, &arguments, [UnsafePointer(kernel.pointer)]))
    return output.array
  }

  @Test("A 3×3 kernel of ones counts the neighbours inside the image")
  func ones() {
    let result = convolve(
      [Float](repeating: 1, count: 9), height: 3, width: 3,
      branch: .init(channels: 1, kernel: 3), weights: [Float](repeating: 1, count: 9))
    #expect(result == [4, 6, 4, 6, 9, 6, 4, 6, 4])
  }

  @Test("Group width 2: the second input channel of a pair reaches the first output")
  func pairs() {
    // Outputs o with weights [o][input in group]: d0 = z1, d1 = 10·z0.
    let result = convolve(
      [1, 2], height: 1, width: 1, branch: .init(channels: 2, kernel: 1, groupWidth: 2),
      weights: [0, 1, 10, 0])
    #expect(result == [2, 10])
  }

  @Test("Subpixel: each position of the 2×2 window has its own weight, and sees its own kind")
  func subpixel() {
    let phases = convolve(
      [1, 1, 1, 1, 1, 1, 1, 1], height: 2, width: 4,
      branch: .init(channels: 1, kernel: 1, multiplex: -1), weights: [1, 2, 3, 4])
    #expect(phases == [1, 2, 1, 2, 3, 4, 3, 4])
    // The right neighbour in the phase is two pixels to the right; the odd width is padded.
    var kernel = [Float](repeating: 0, count: 36)
    for phase in 0..<4 { kernel[phase * 9 + 5] = 1 }
    let shifted = convolve(
      [1, 2, 3, 4, 5], height: 1, width: 5,
      branch: .init(channels: 1, kernel: 3, multiplex: -1), weights: kernel)
    #expect(shifted == [3, 4, 5, 0, 0])
  }

  @Test("Superpixel: the four slices are the pixels of a finer image")
  func superpixel() {
    // One pixel with four channels is a 2×2 image 1 2 / 3 4; take the right neighbour.
    var kernel = [Float](repeating: 0, count: 9)
    kernel[5] = 1
    let shifted = convolve(
      [1, 2, 3, 4, 5, 6, 7, 8], height: 1, width: 2,
      branch: .init(channels: 4, kernel: 3, multiplex: 1), weights: kernel)
    // Fine rows 1 2 5 6 and 3 4 7 8, shifted: 2 5 6 0 and 4 7 8 0.
    #expect(shifted == [2, 5, 4, 7, 6, 0, 8, 0])
  }

  @Test(
    "Gradients agree with central differences",
    arguments: [(0, 1, 1), (0, 2, 2), (-1, 1, 1), (1, 1, 1), (0, 1, 2)])
  func differences(multiplex: Int, groupWidth: Int, stride: Int) {
    let item = SpatialCase(
      height: 5, width: 4, stride: stride,
      branches: [
        .init(channels: 4, kernel: 3, groupWidth: groupWidth, multiplex: multiplex)
      ], activation: mux_usual_activation(MUX_SWISH), seed: 5)
    // With act₂ = swish but k0 = gate = 1 and the rest 0, g is the gradient of swish(u).
    for index in 0..<item.channels {
      item.coefficients[2].pointer[index] = 1
      item.coefficients[3].pointer[index] = 0
      item.coefficients[4].pointer[index] = 1
      item.coefficients[5].pointer[index] = 0
      item.coefficients[6].pointer[index] = 1
      item.coefficients[7].pointer[index] = 0
      item.coefficients[8].pointer[index] = 0
    }
    func loss() -> Double {
      let output = item.reference().output
      var sum = 0.0
      for pixel in 0..<item.outputPixels {
        for channel in 0..<item.channels {
          let at = pixel * item.outputStride + channel
          sum +=
            Double(item.gradient.pointer[at])
            * Double(mux_activation_value(mux_usual_activation(MUX_SWISH), output[at]))
        }
      }
      return sum
    }
    func difference(_ pointer: UnsafeMutablePointer<Float>) -> Double {
      let step: Float = 1.0 / 128
      let value = pointer.pointee
      defer { pointer.pointee = value }
      pointer.pointee = value + step
      let above = loss()
      pointer.pointee = value - step
      return (above - loss()) / (2 * Double(step))
    }
    let result = item.reference()
    for index in Swift.stride(from: 0, to: item.weights[0].count, by: 5) {
      let expected = difference(item.weights[0].pointer + index)
      #expect(abs(Double(result.weightGradients[0][index]) - expected) < 2e-3)
    }
    for pixel in 0..<item.pixels {
      for channel in 0..<item.channels {
        let at = pixel * item.inputStride + channel
        // The gradient is with respect to scale · e + shift.
        let scale = Double(item.coefficients[0].pointer[channel])
        let expected = difference(item.input.pointer + at)
        #expect(abs(Double(result.inputGradient[at]) * scale - expected) < 2e-3)
      }
    }
  }
}
