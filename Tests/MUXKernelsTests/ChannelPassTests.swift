// SPDX-License-Identifier: Apache-2.0
import CMUXKernels
import Testing

@Suite("Per-channel passes and activations")
struct ChannelPassTests {
  static let activations =
    (0..<UInt32(MUX_ACTIVATION_COUNT)).map {
      mux_usual_activation(mux_activation_kind(rawValue: $0))
    } + [mux_activation(kind: MUX_HARD_SIGMOID, alpha: 0.25, beta: 0.375)]

  @Test("Reductions and elementwise pass against a loop in double", arguments: [1, 8, 19, 48])
  func passes(channels: Int) {
    let pixels = 71
    let stride = channels + 2
    var noise = Noise(seed: UInt64(channels))
    let d = noise.buffer(pixels * stride)
    let g = noise.buffer(pixels * stride)
    let scale = noise.buffer(channels)
    let shift = noise.buffer(channels)
    let gate = noise.buffer(channels)
    for activation in Self.activations {
      var expected = [[Double]](repeating: [Double](repeating: 0, count: channels), count: 8)
      var applied = [Float](repeating: 0, count: pixels * stride)
      for pixel in 0..<pixels {
        for c in 0..<channels {
          let raw = d.pointer[pixel * stride + c]
          let u = scale.pointer[c] * raw + shift.pointer[c]
          let value = mux_activation_value(activation, u)
          let derivative = Double(mux_activation_derivative(activation, u))
          let gradient = Double(g.pointer[pixel * stride + c])
          applied[pixel * stride + c] = gate.pointer[c] * value
          let terms = [
            Double(raw), Double(raw) * Double(raw), Double(value), gradient * Double(value),
            derivative, derivative * gradient, derivative * Double(raw),
            derivative * gradient * Double(raw),
          ]
          for (index, term) in terms.enumerated() { expected[index][c] += term }
        }
      }
      let transform = mux_transform(
        scale: scale.pointer, shift: shift.pointer, activation: activation)
      for isa in availableVariants {
        withVariant(isa) {
          let sums = (0..<8).map { _ in Buffer(channels, repeating: Double.nan) }
          let output = Buffer(pixels * stride, repeating: Float(0))
          mux_channel_statistics(
            d.pointer, stride, pixels, channels, sums[0].pointer, sums[1].pointer)
          mux_channel_activated_sum(
            d.pointer, stride, pixels, channels, transform, sums[2].pointer)
          mux_channel_gradients(
            g.pointer, stride, d.pointer, stride, pixels, channels, transform,
            mux_channel_gradient_sums(
              gradient_value: sums[3].pointer, derivative: sums[4].pointer,
              derivative_gradient: sums[5].pointer, derivative_raw: sums[6].pointer,
              derivative_gradient_raw: sums[7].pointer))
          mux_channel_apply(
            d.pointer, stride, pixels, channels, transform, gate.pointer, output.pointer, stride)
          for (actual, wanted) in zip(sums, expected) {
            #expect(relativeError(actual.array, wanted) < 2e-5)
          }
          #expect(relativeError(output.array, applied) < 1e-6)
        }
      }
    }
  }

  @Test("Activations over the whole range, far beyond where the exponential is clamped")
  func wholeRange() {
    let values: [Float] =
      [
        -1e30, -1000, -88, -87, -30, -6, -3, -0.5, -0.0, 0, 1e-20, 0.5, 2.9, 3, 6, 6.5, 20, 87,
        1e30,
      ]
      + (0..<400).map { Float($0) / 10 - 20 }
    let input = Buffer(values)
    for activation in Self.activations {
      let expected = values.map { mux_activation_value(activation, $0) }
      for isa in availableVariants {
        withVariant(isa) {
          let output = Buffer(values.count, repeating: Float(0))
          mux_channel_apply(
            input.pointer, values.count, 1, values.count,
            mux_transform(scale: nil, shift: nil, activation: activation), nil, output.pointer,
            values.count)
          for (index, wanted) in expected.enumerated() {
            let actual = output.pointer[index]
            let magnitude: Float = abs(wanted)
            // The sigmoid of very negative numbers is 1.6e-38 rather than less.
            let allowed: Float = 5e-7 * magnitude + 2e-38 * abs(values[index]) + 1e-36
            #expect(
              abs(actual - wanted) <= allowed,
              "\(activation) at \(values[index]): \(actual), not \(wanted)")
          }
        }
      }
    }
  }

  @Test(
    "Not a number stays visible",
    arguments: [MUX_RELU, MUX_RELU6, MUX_SWISH, MUX_HARD_SWISH].map(mux_usual_activation))
  func notANumber(activation: mux_activation) {
    for isa in availableVariants {
      withVariant(isa) {
        let input = Buffer([Float](repeating: .nan, count: 20))
        let output = Buffer(20, repeating: Float(0))
        mux_channel_apply(
          input.pointer, 20, 1, 20,
          mux_transform(scale: nil, shift: nil, activation: activation), nil, output.pointer, 20)
        let numbers = output.array.filter { !$0.isNaN }
        #expect(numbers.isEmpty)
      }
    }
  }
}
