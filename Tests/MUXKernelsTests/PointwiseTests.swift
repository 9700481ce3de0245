// SPDX-License-Identifier: Apache-2.0
import CMUXKernels
import MUXTestSupport
import Testing

/// Rows around a tile (64) and a register tile (4, 8), channels around a vector, a panel (24, 48)
/// and a block (48).
private let shapes: [(rows: Int, inner: Int, outer: Int)] = [
  (1, 1, 1), (3, 5, 7), (7, 8, 24), (8, 24, 23), (64, 16, 25), (65, 47, 48), (66, 48, 49),
  (130, 49, 97), (33, 100, 40), (191, 3, 96),
]

private let activations =
  (0..<UInt32(MUX_ACTIVATION_COUNT)).map {
    mux_usual_activation(mux_activation_kind(rawValue: $0))
  } + [mux_activation(kind: MUX_HARD_SIGMOID, alpha: 0.25, beta: 0.375)]

@Suite("Pointwise kernels against plain loops in double")
struct PointwiseTests {
  @Test("Forward, with the sums for batch norm", arguments: shapes.indices)
  func forward(index: Int) {
    let (rows, inner, outer) = shapes[index]
    var noise = Noise(seed: UInt64(index))
    for (number, activation) in Portion.of(activations.enumerated(), turn: index) {
      let x = StridedMatrix(rows: rows, columns: inner, gap: number % 3, noise: &noise)
      let weight = StridedMatrix(rows: inner, columns: outer, noise: &noise)
      let transform = ChannelTransform(channels: inner, activation: activation, noise: &noise)
      let gate = number % 2 == 0 ? noise.buffer(inner) : nil
      let expected =
        Matrix(rows: rows, columns: inner) { row, k in
          transform.activated(x.matrix[row, k], k) * Double(gate?.pointer[k] ?? 1)
        } * weight.matrix
      let squares = Matrix(rows: rows, columns: outer) { expected[$0, $1] * expected[$0, $1] }
      for isa in availableVariants {
        withVariant(isa) {
          let stride = outer + number % 2
          let y = Buffer(rows * stride - number % 2, repeating: Float.nan)
          // The sums are added to what is there.
          let sum = Buffer(outer, repeating: 10.0)
          let squareSum = Buffer(outer, repeating: -3.0)
          var value = transform.value
          mux_pointwise_forward(
            x.pointer, x.stride, rows, inner, outer, &value, gate?.pointer,
            packed(weight).pointer, y.pointer, stride, sum.pointer, squareSum.pointer,
            pointwiseScratch(inner, outer).pointer)
          let actual = (0..<rows * outer).map { y.pointer[$0 / outer * stride + $0 % outer] }
          #expect(relativeError(actual, expected.elements.map(Float.init)) < 1e-5)
          #expect(relativeError(sum.array, expected.columnSums.map { $0 + 10 }) < 1e-5)
          #expect(relativeError(squareSum.array, squares.columnSums.map { $0 - 3 }) < 1e-5)
        }
      }
    }
  }

  @Test("Forward from the values as they are, without sums")
  func plainForward() {
    var noise = Noise(seed: 40)
    let x = StridedMatrix(rows: 70, columns: 50, gap: 3, noise: &noise)
    let weight = StridedMatrix(rows: 50, columns: 30, noise: &noise)
    let expected = x.matrix * weight.matrix
    for isa in availableVariants {
      withVariant(isa) {
        let y = Buffer(70 * 30, repeating: Float.nan)
        var identity = mux_transform(
          scale: nil, shift: nil, activation: mux_usual_activation(MUX_IDENTITY))
        mux_pointwise_forward(
          x.pointer, x.stride, 70, 50, 30, &identity, nil, packed(weight).pointer, y.pointer, 30,
          nil, nil, pointwiseScratch(50, 30).pointer)
        #expect(relativeError(y.array, expected.elements.map(Float.init)) < 1e-5)
      }
    }
  }

  @Test(
    "A dense convolution of an image", arguments: [(3, 2, 1), (3, 1, 1), (5, 2, 2), (1, 1, 0)])
  func window(kernel: Int, stride: Int, padding: Int) {
    var noise = Noise(seed: UInt64(kernel * 10 + stride))
    let stem = Stem(height: 13, width: 11, kernel: kernel, stride: stride, padding: padding)
    let image = noise.buffer(13 * 11 * 3)
    let weight = StridedMatrix(rows: stem.columns, columns: 20, noise: &noise)
    let expected = stem.windows(of: image) * weight.matrix
    for isa in availableVariants {
      withVariant(isa) {
        var window = stem.window
        let y = Buffer(stem.rows * 20, repeating: Float.nan)
        let sum = Buffer(20, repeating: 0.0)
        let squareSum = Buffer(20, repeating: 0.0)
        mux_pointwise_window_forward(
          image.pointer, &window, 20, packed(weight).pointer, y.pointer, sum.pointer,
          squareSum.pointer, pointwiseScratch(stem.columns, 20).pointer)
        #expect(relativeError(y.array, expected.elements.map(Float.init)) < 1e-5)
        #expect(relativeError(sum.array, expected.columnSums) < 1e-5)
      }
    }
  }

  @Test("Backward of a projection", arguments: shapes.indices)
  func projectBackward(index: Int) {
    let (rows, out, mid) = shapes[index]
    var noise = Noise(seed: UInt64(100 + index))
    for (number, activation) in Portion.of(activations.enumerated(), turn: index) {
      let gy = StridedMatrix(rows: rows, columns: out, gap: number % 3, noise: &noise)
      let p = StridedMatrix(rows: rows, columns: out, noise: &noise)
      let k = (0..<3).map { _ in noise.buffer(out) }
      let weight = StridedMatrix(rows: out, columns: mid, noise: &noise)
      let d = StridedMatrix(rows: rows, columns: mid, noise: &noise)
      let transform = ChannelTransform(channels: mid, activation: activation, noise: &noise)
      let gate = number % 2 == 0 ? noise.buffer(mid) : nil
      let gp = Matrix(rows: rows, columns: out) { row, c in
        Double(k[0].pointer[c]) * gy.matrix[row, c] + Double(k[1].pointer[c]) * p.matrix[row, c]
          + Double(k[2].pointer[c])
      }
      let gz = gp * weight.matrix
      let act = Matrix(rows: rows, columns: mid) { transform.activated(d.matrix[$0, $1], $1) }
      let slope = Matrix(rows: rows, columns: mid) { transform.slope(d.matrix[$0, $1], $1) }
      let z = Matrix(rows: rows, columns: mid) { act[$0, $1] * Double(gate?.pointer[$1] ?? 1) }
      let terms: [(Int, Int) -> Double] = [
        { gz[$0, $1] * act[$0, $1] }, { slope[$0, $1] }, { slope[$0, $1] * gz[$0, $1] },
        { slope[$0, $1] * d.matrix[$0, $1] },
        { slope[$0, $1] * gz[$0, $1] * d.matrix[$0, $1] },
      ]
      let sums = terms.map { Matrix(rows: rows, columns: mid, $0).columnSums }
      for isa in availableVariants {
        withVariant(isa) {
          let gradient = Buffer(rows * mid, repeating: Float.nan)
          let actualSums = Buffer(5 * mid, repeating: 0.0)
          let partial = PartialGradient(narrow: out, wide: mid)
          let packedWeight = packed(weight)
          var arguments = mux_pointwise_project_gradient()
          arguments.rows = rows
          arguments.out = out
          arguments.mid = mid
          arguments.gy = UnsafePointer(gy.pointer)
          arguments.gy_stride = gy.stride
          arguments.p = UnsafePointer(p.pointer)
          arguments.k0 = UnsafePointer(k[0].pointer)
          arguments.k1 = UnsafePointer(k[1].pointer)
          arguments.k2 = UnsafePointer(k[2].pointer)
          arguments.packed = UnsafePointer(packedWeight.pointer)
          arguments.d = UnsafePointer(d.pointer)
          arguments.transform = transform.value
          arguments.gate = gate.map { UnsafePointer($0.pointer) }
          arguments.gz = gradient.pointer
          arguments.sums = actualSums.pointer
          arguments.partial = partial.buffer.pointer
          mux_pointwise_project_backward(&arguments, pointwiseScratch(out, mid).pointer)
          #expect(relativeError(gradient.array, gz.elements.map(Float.init)) < 1e-5)
          for (row, wanted) in sums.enumerated() {
            let actual = Array(actualSums.array[row * mid..<(row + 1) * mid])
            #expect(relativeError(actual, wanted) < 2e-5, "sum \(row)")
          }
          let weightGradient = (gp.transposed * z).elements.map(Float.init)
          #expect(relativeError(partial.elements(), weightGradient) < 2e-5)
        }
      }
    }
  }
}

/// An image of 3 channels and a square window that walks over it.
struct Stem {
  let height: Int
  let width: Int
  let kernel: Int
  let stride: Int
  let padding: Int

  var outHeight: Int { (height + 2 * padding - kernel) / stride + 1 }
  var outWidth: Int { (width + 2 * padding - kernel) / stride + 1 }
  var rows: Int { outHeight * outWidth }
  var columns: Int { kernel * kernel * 3 }

  var window: mux_pointwise_window {
    mux_pointwise_window(
      height: height, width: width, channels: 3, out_height: outHeight, out_width: outWidth,
      kernel: kernel, stride: stride, top: padding, left: padding)
  }

  func windows(of image: Buffer<Float>) -> Matrix {
    Matrix(rows: rows, columns: columns) { row, column in
      let y = row / outWidth * stride - padding + column / (3 * kernel)
      let x = row % outWidth * stride - padding + column / 3 % kernel
      guard (0..<height).contains(y), (0..<width).contains(x) else { return 0 }
      return Double(image.pointer[(y * width + x) * 3 + column % 3])
    }
  }
}
