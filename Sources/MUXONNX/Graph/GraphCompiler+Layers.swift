// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXWeights

extension GraphCompiler {
  /// Adds a batch norm on some of its channels (all unless given), in that order.
  mutating func addNorm(
    _ norm: BatchNormalization, _ name: String, _ input: String, channels: [Int]? = nil,
    output: String? = nil
  ) -> String {
    let roles: [ParameterSpecification.Role] = [
      .normalizationScale, .normalizationShift, .runningMean, .runningVariance,
    ]
    let tensors = roles.map { role in
      let values = weights.values(role, of: name)
      let chosen = channels.map { $0.map { values[$0] } } ?? values
      return writer.tensor(chosen, shape: [chosen.count], "\(name).\(role.suffix)")
    }
    return writer.node(
      "BatchNormalization", output ?? name, [input] + tensors,
      [.float("epsilon", Float(norm.epsilon))])
  }

  /// Adds an L2 normalisation on its channels in some order: the norm, at least ε, the quotient, the
  /// scale.
  mutating func addNorm(
    _ norm: L2Normalization, _ name: String, _ input: String, channels: [Int]?
  ) -> String {
    let role = ParameterSpecification.Role.channelScale
    let values = weights.values(role, of: name)
    let chosen = channels.map { $0.map { values[$0] } } ?? values
    let scale = writer.tensor(chosen, shape: [chosen.count, 1, 1], "\(name).\(role.suffix)")
    let length = writer.node(
      "ReduceL2", "\(name).norm", [input], [.ints("axes", [1]), .int("keepdims", 1)])
    let least = writer.node(
      "Max", "\(name).least", [length, writer.scalar(Float(norm.epsilon))])
    let quotient = writer.node("Div", "\(name).quotient", [input, least])
    return writer.node("Mul", name, [quotient, scale])
  }

  mutating func addActivation(
    _ activation: Activation, _ name: String, _ input: String
  ) -> String {
    switch activation.kind {
    case .identity: return input
    case .relu: return writer.node("Relu", name, [input])
    case .relu6:
      let bounds = [writer.scalar(0), writer.scalar(6)]
      return writer.node("Clip", name, [input] + bounds)
    case .swish:
      let gate = writer.node("Sigmoid", "\(name).sigmoid", [input])
      return writer.node("Mul", name, [input, gate])
    case .hardSwish: return writer.node("HardSwish", name, [input])
    case .sigmoid: return writer.node("Sigmoid", name, [input])
    case .hardSigmoid:
      return writer.node(
        "HardSigmoid", name, [input],
        [.float("alpha", Float(activation.alpha)), .float("beta", Float(activation.beta))])
    }
  }

  /// Adds a pool. A size that is rounded up is said by padding at the end: what `ceil_mode` does at
  /// the last window depends on ONNX's version.
  mutating func addPool(
    _ pool: Pooling, _ name: String, _ input: GraphValue, _ output: Shape
  ) -> String {
    func end(_ count: Int, _ size: Int) -> Int {
      let covered = (count - 1) * pool.stride + pool.kernelSize
      return pool.ceilMode ? max(0, covered - size - pool.padding) : pool.padding
    }
    var attributes: [Onnx_AttributeProto] = [
      .ints("kernel_shape", [pool.kernelSize, pool.kernelSize]),
      .ints("strides", [pool.stride, pool.stride]),
      .ints(
        "pads",
        [
          pool.padding, pool.padding, end(output.height, input.shape.height),
          end(output.width, input.shape.width),
        ]),
    ]
    let input = input.name
    switch pool.kind {
    case .maximum: return writer.node("MaxPool", name, [input], attributes)
    case .average:
      attributes.append(.int("count_include_pad", pool.countsPadding ? 1 : 0))
      return writer.node("AveragePool", name, [input], attributes)
    }
  }

  /// Adds means over a grid of windows. ONNX has no pool for windows of different sizes; there it
  /// is a product with a matrix of means from each side: rows · image · columns.
  mutating func addPool(_ size: ImageSize, _ name: String, _ input: GraphValue) -> String {
    let shape = input.shape
    if shape.height == size.height, shape.width == size.width { return input.name }
    if size == ImageSize(1) { return writer.node("GlobalAveragePool", name, [input.name]) }
    if shape.height % size.height == 0, shape.width % size.width == 0 {
      let window = [shape.height / size.height, shape.width / size.width]
      return writer.node(
        "AveragePool", name, [input.name],
        [.ints("kernel_shape", window), .ints("strides", window)])
    }
    let rows = Self.means(count: size.height, over: shape.height)
    let columns = Self.means(count: size.width, over: shape.width)
    let transposed = (0..<shape.width).flatMap { x in columns.map { $0[x] } }
    let left = writer.tensor(
      rows.flatMap { $0 }, shape: [size.height, shape.height], "\(name).rows")
    let right = writer.tensor(transposed, shape: [shape.width, size.width], "\(name).columns")
    let x = writer.node("MatMul", "\(name).down", [left, input.name])
    return writer.node("MatMul", name, [x, right])
  }

  /// For each of `count` windows over `size` positions the share of each position in its mean.
  private static func means(count: Int, over size: Int) -> [[Float]] {
    (0..<count).map { index in
      let window = index * size / count..<((index + 1) * size + count - 1) / count
      return (0..<size).map { window.contains($0) ? 1 / Float(window.count) : 0 }
    }
  }

  /// Adds zeros around the image first, then cuts off.
  mutating func addPadding(_ padding: ImagePadding, _ name: String, _ input: GraphValue) -> String {
    let (height, width) = (
      input.shape.height + padding.top + padding.bottom,
      input.shape.width + padding.left + padding.right
    )
    var x = input.name
    let added = [padding.top, padding.left, padding.bottom, padding.right].map { max(0, $0) }
    let cuts = [padding.top, padding.left, padding.bottom, padding.right].contains { $0 < 0 }
    if added.contains(where: { $0 > 0 }) {
      x = addZeros(x, cuts ? "\(name).zeros" : name, added)
    }
    guard cuts else { return x }
    let (top, left) = (max(0, -padding.top), max(0, -padding.left))
    return crop(x, name, rows: top..<top + height, columns: left..<left + width)
  }

  /// Adds so many rows and columns of zeros: top, left, bottom, right.
  mutating func addZeros(_ input: String, _ name: String, _ sides: [Int]) -> String {
    let pads = [0, 0, sides[0], sides[1], 0, 0, sides[2], sides[3]]
    return writer.node("Pad", name, [input, writer.integers(pads, "\(name).pads")])
  }

  mutating func crop(
    _ input: String, _ name: String, rows: Range<Int>, columns: Range<Int>
  ) -> String {
    let starts = writer.integers([rows.lowerBound, columns.lowerBound], "\(name).starts")
    let ends = writer.integers([rows.upperBound, columns.upperBound], "\(name).ends")
    let axes = writer.integers([2, 3], "constant.axes")
    return writer.node("Slice", name, [input, starts, ends, axes])
  }
}
