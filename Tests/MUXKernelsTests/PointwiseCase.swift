// SPDX-License-Identifier: Apache-2.0
import CMUXKernels

/// A matrix of doubles, row by row, for the plain loops that the kernels are held against.
struct Matrix {
  let rows: Int
  let columns: Int
  var elements: [Double]

  init(rows: Int, columns: Int, _ element: (Int, Int) -> Double) {
    self.rows = rows
    self.columns = columns
    elements = (0..<rows * columns).map { element($0 / columns, $0 % columns) }
  }

  subscript(row: Int, column: Int) -> Double { elements[row * columns + column] }

  /// The matrix product.
  static func * (a: Matrix, b: Matrix) -> Matrix {
    Matrix(rows: a.rows, columns: b.columns) { row, column in
      (0..<a.columns).reduce(0) { $0 + a[row, $1] * b[$1, column] }
    }
  }

  var transposed: Matrix { Matrix(rows: columns, columns: rows) { self[$1, $0] } }

  /// The sums of the columns.
  var columnSums: [Double] {
    (0..<columns).map { column in (0..<rows).reduce(0) { $0 + self[$1, column] } }
  }
}

/// A matrix in memory as the kernels take it: rows of floats, a stride apart, some garbage between.
struct StridedMatrix {
  let buffer: Buffer<Float>
  let stride: Int
  let matrix: Matrix

  init(rows: Int, columns: Int, gap: Int = 0, noise: inout Noise) {
    let stride = columns + gap
    // The last row has no gap behind it: the memory ends with the matrix.
    let buffer = noise.buffer(max(rows * stride - gap, 1))
    self.buffer = buffer
    self.stride = stride
    matrix = Matrix(rows: rows, columns: columns) { Double(buffer.pointer[$0 * stride + $1]) }
  }

  var pointer: UnsafeMutablePointer<Float> { buffer.pointer }
}

/// Scale, shift and activation per channel, and what they do to a value.
struct ChannelTransform {
  let scale: Buffer<Float>
  let shift: Buffer<Float>
  let activation: mux_activation

  init(channels: Int, activation: mux_activation, noise: inout Noise) {
    scale = Buffer((0..<channels).map { _ in 1.5 * noise.next() + 0.2 })
    shift = noise.buffer(channels)
    self.activation = activation
  }

  var value: mux_transform {
    mux_transform(scale: scale.pointer, shift: shift.pointer, activation: activation)
  }

  private func affine(_ x: Double, _ channel: Int) -> Float {
    scale.pointer[channel] * Float(x) + shift.pointer[channel]
  }

  func activated(_ x: Double, _ channel: Int) -> Double {
    Double(mux_activation_value(activation, affine(x, channel)))
  }

  func slope(_ x: Double, _ channel: Int) -> Double {
    Double(mux_activation_derivative(activation, affine(x, channel)))
  }
}

/// The weight B of a product, packed for the kernels chosen at the moment.
func packed(_ weight: StridedMatrix) -> Buffer<Float> {
  let inner = weight.matrix.rows
  let outer = weight.matrix.columns
  let buffer = Buffer(mux_pointwise_packed_size(inner, outer), repeating: Float.nan)
  mux_pointwise_pack(weight.pointer, inner, outer, weight.stride, 1, buffer.pointer)
  return buffer
}

/// Scratch of exactly the size that the kernels ask for, filled with what must not be used.
func pointwiseScratch(_ inner: Int, _ outer: Int) -> Buffer<Float> {
  Buffer(mux_pointwise_scratch_size(inner, outer), repeating: .nan)
}

/// A partial weight gradient of zeros, and what it holds in the end.
struct PartialGradient {
  let buffer: Buffer<Float>
  let narrow: Int
  let wide: Int

  init(narrow: Int, wide: Int) {
    self.narrow = narrow
    self.wide = wide
    buffer = Buffer(mux_pointwise_partial_size(narrow, wide), repeating: 0)
  }

  /// The elements row by row (`narrow` rows), `count` equal partials added.
  func elements() -> [Float] {
    let out = Buffer(narrow * wide, repeating: Float.nan)
    mux_pointwise_reduce_partials(
      buffer.pointer, 1, buffer.count, narrow, wide, out.pointer, wide, 1)
    return out.array
  }
}
