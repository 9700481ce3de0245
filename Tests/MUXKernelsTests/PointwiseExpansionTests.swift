// SPDX-License-Identifier: Apache-2.0
import CMUXKernels
import Testing

/// Where the gradient behind an expansion comes from.
private enum Source: CaseIterable {
  /// It is there.
  case du
  /// It passes through the activation.
  case gh
  /// It is that of a global average pool, through the activation.
  case pooled
}

@Suite("Pointwise kernels: backward of an expansion, passes over elements")
struct PointwiseExpansionTests {
  private static let shapes: [(rows: Int, inner: Int, outer: Int)] = [
    (1, 1, 1), (5, 7, 3), (64, 24, 25), (65, 48, 49), (129, 25, 97), (40, 97, 24),
  ]

  @Test("Backward of an expansion", arguments: Source.allCases, shapes.indices)
  private func expandBackward(source: Source, index: Int) {
    let (rows, inner, outer) = Self.shapes[index]
    var noise = Noise(seed: UInt64(200 + index))
    for (number, activation) in [MUX_IDENTITY, MUX_RELU6, MUX_SWISH, MUX_HARD_SWISH]
      .map(mux_usual_activation).enumerated()
    {
      let x = StridedMatrix(rows: rows, columns: inner, gap: number % 2, noise: &noise)
      let g = StridedMatrix(rows: rows, columns: outer, noise: &noise)
      let pooled = noise.buffer(outer)
      let y = StridedMatrix(rows: rows, columns: outer, noise: &noise)
      let k = (0..<3).map { _ in noise.buffer(outer) }
      let weight = StridedMatrix(rows: outer, columns: inner, noise: &noise)
      let transform = ChannelTransform(channels: outer, activation: activation, noise: &noise)
      let add =
        number % 2 == 0
        ? StridedMatrix(rows: rows, columns: inner, gap: 1, noise: &noise) : nil
      let ge = Matrix(rows: rows, columns: outer) { row, c in
        let value = y.matrix[row, c]
        let du =
          switch source {
          case .du: g.matrix[row, c]
          case .gh: transform.slope(value, c) * g.matrix[row, c]
          case .pooled: transform.slope(value, c) * Double(pooled.pointer[c])
          }
        return Double(k[0].pointer[c]) * du + Double(k[1].pointer[c]) * value
          + Double(k[2].pointer[c])
      }
      let product = ge * weight.matrix
      let gx = Matrix(rows: rows, columns: inner) {
        product[$0, $1] + (add?.matrix[$0, $1] ?? 0)
      }
      let weightGradient = (x.matrix.transposed * ge).elements.map(Float.init)
      for isa in availableVariants {
        withVariant(isa) {
          let gradient = Buffer(rows * inner, repeating: Float.nan)
          let partial = PartialGradient(narrow: inner, wide: outer)
          let packedWeight = packed(weight)
          var arguments = mux_pointwise_expand_gradient()
          arguments.rows = rows
          arguments.inner = inner
          arguments.outer = outer
          arguments.x = UnsafePointer(x.pointer)
          arguments.x_stride = x.stride
          switch source {
          case .du: arguments.du = UnsafePointer(g.pointer)
          case .gh: arguments.gh = UnsafePointer(g.pointer)
          case .pooled: arguments.pooled = UnsafePointer(pooled.pointer)
          }
          arguments.y = UnsafePointer(y.pointer)
          arguments.k0 = UnsafePointer(k[0].pointer)
          arguments.k1 = UnsafePointer(k[1].pointer)
          arguments.k2 = UnsafePointer(k[2].pointer)
          arguments.transform = transform.value
          arguments.packed = UnsafePointer(packedWeight.pointer)
          arguments.add = add.map { UnsafePointer($0.pointer) }
          arguments.add_stride = add?.stride ?? 0
          arguments.gx = gradient.pointer
          arguments.gx_stride = inner
          arguments.partial = partial.buffer.pointer
          mux_pointwise_expand_backward(&arguments, pointwiseScratch(inner, outer).pointer)
          #expect(relativeError(gradient.array, gx.elements.map(Float.init)) < 1e-5)
          #expect(relativeError(partial.elements(), weightGradient) < 2e-5)
        }
      }
    }
  }

  @Test("Backward of a stem: the weight's gradient alone, added to what is there")
  func stemBackward() {
    var noise = Noise(seed: 300)
    let stem = Stem(height: 15, width: 17, kernel: 3, stride: 2, padding: 1)
    let outer = 33
    let image = noise.buffer(15 * 17 * 3)
    let du = StridedMatrix(rows: stem.rows, columns: outer, noise: &noise)
    let y = StridedMatrix(rows: stem.rows, columns: outer, noise: &noise)
    let k = (0..<3).map { _ in noise.buffer(outer) }
    let ge = Matrix(rows: stem.rows, columns: outer) { row, c in
      Double(k[0].pointer[c]) * du.matrix[row, c] + Double(k[1].pointer[c]) * y.matrix[row, c]
        + Double(k[2].pointer[c])
    }
    let once = (stem.windows(of: image).transposed * ge).elements
    for isa in availableVariants {
      withVariant(isa) {
        let partial = PartialGradient(narrow: stem.columns, wide: outer)
        var window = stem.window
        withUnsafePointer(to: &window) { window in
          var arguments = mux_pointwise_expand_gradient()
          arguments.rows = stem.rows
          arguments.inner = stem.columns
          arguments.outer = outer
          arguments.x = UnsafePointer(image.pointer)
          arguments.window = window
          arguments.du = UnsafePointer(du.pointer)
          arguments.y = UnsafePointer(y.pointer)
          arguments.k0 = UnsafePointer(k[0].pointer)
          arguments.k1 = UnsafePointer(k[1].pointer)
          arguments.k2 = UnsafePointer(k[2].pointer)
          arguments.transform = mux_transform(
            scale: nil, shift: nil, activation: mux_usual_activation(MUX_IDENTITY))
          arguments.partial = partial.buffer.pointer
          let scratch = pointwiseScratch(stem.columns, outer)
          mux_pointwise_expand_backward(&arguments, scratch.pointer)
          mux_pointwise_expand_backward(&arguments, scratch.pointer)
        }
        #expect(relativeError(partial.elements(), once.map { Float(2 * $0) }) < 2e-5)
      }
    }
  }

  @Test("Sums over the pixels and the elementwise pass", arguments: [1, 8, 17, 48, 70])
  func passes(columns: Int) {
    var noise = Noise(seed: UInt64(400 + columns))
    for activation in (0..<UInt32(MUX_ACTIVATION_COUNT)).map({
      mux_usual_activation(mux_activation_kind(rawValue: $0))
    }) {
      let rows = 131
      let y = StridedMatrix(rows: rows, columns: columns, noise: &noise)
      let gh = StridedMatrix(rows: rows, columns: columns, noise: &noise)
      let transform = ChannelTransform(channels: columns, activation: activation, noise: &noise)
      let act = Matrix(rows: rows, columns: columns) { transform.activated(y.matrix[$0, $1], $1) }
      func sum(_ factor: (Int, Int) -> Double) -> [Double] {
        Matrix(rows: rows, columns: columns) {
          transform.slope(y.matrix[$0, $1], $1) * factor($0, $1)
        }.columnSums
      }
      let pooled = act.columnSums + sum { _, _ in 1 } + sum { y.matrix[$0, $1] }
      let applied = sum { gh.matrix[$0, $1] } + sum { gh.matrix[$0, $1] * y.matrix[$0, $1] }
      for isa in availableVariants {
        withVariant(isa) {
          var value = transform.value
          let scratch = pointwiseScratch(columns, columns)
          let pooledSums = Buffer(3 * columns, repeating: 0.0)
          mux_pointwise_pool_sums(
            y.pointer, rows, columns, &value, pooledSums.pointer, scratch.pointer)
          #expect(relativeError(pooledSums.array, pooled) < 2e-5)
          let out = Buffer(rows * columns, repeating: Float.nan)
          mux_pointwise_apply(y.pointer, rows, columns, &value, out.pointer, scratch.pointer)
          #expect(relativeError(out.array, act.elements.map(Float.init)) < 1e-5)
          let sums = Buffer(2 * columns, repeating: 0.0)
          mux_pointwise_apply_sums(
            y.pointer, gh.pointer, rows, columns, &value, sums.pointer, scratch.pointer)
          #expect(relativeError(sums.array, applied) < 2e-5)
        }
      }
    }
  }

  @Test("Partial weight gradients add up in order, and may be stored transposed")
  func partials() {
    let (narrow, wide) = (5, 31)
    for isa in availableVariants {
      withVariant(isa) {
        let size = mux_pointwise_partial_size(narrow, wide)
        let partials = Buffer((0..<3 * size).map { Float($0 % 7) })
        let plain = Buffer(narrow * wide, repeating: Float.nan)
        let transposed = Buffer(narrow * wide, repeating: Float.nan)
        mux_pointwise_reduce_partials(
          partials.pointer, 3, size, narrow, wide, plain.pointer, wide, 1)
        mux_pointwise_reduce_partials(
          partials.pointer, 3, size, narrow, wide, transposed.pointer, 1, narrow)
        for row in 0..<narrow {
          for column in 0..<wide {
            let value = plain.pointer[row * wide + column]
            #expect(value == transposed.pointer[column * narrow + row])
            #expect(value >= 0 && value <= 18)
          }
        }
        let total = plain.array.reduce(0, +)
        #expect(total > 0)
      }
    }
  }
}
