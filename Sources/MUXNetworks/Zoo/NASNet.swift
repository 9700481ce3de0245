// SPDX-License-Identifier: Apache-2.0

/// NASNet-A mobile, 4 @ 1056 (Zoph et al. 2018), with the weight names of the Python package
/// `pretrainedmodels`.
///
/// Where an image has an odd side before a reduction, that implementation fails; here the paths
/// that skip it drop the last row and column, which changes nothing for even sides.
struct NASNet {
  /// 5,289,978 parameters, 568,234,858 multiply-adds.
  static func mobile(_ options: BuiltNetworkOptions) throws(NetworkError) -> Network {
    var cells = NASNet(builder: options.builder("nasnetamobile"))
    let stem = cells.builder.block("stem", summary: "convolution k3 s2") { builder in
      let x = builder.convolution(
        builder.input, "conv0.conv", outputChannels: 32, kernelSize: 3, stride: 2, padding: 0)
      return builder.batchNormalization(x, "conv0.bn", epsilon: epsilon)
    }
    let stem0 = cells.cell("cell_stem_0", "reduction of the stem c11") {
      $0.firstStem(stem, filters: 11)
    }
    var (previous, current) = (
      stem0,
      cells.cell("cell_stem_1", "reduction of the stem c22") {
        $0.secondStem(stem0, stem, filters: 22)
      }
    )
    for (stage, first) in [0, 6, 12].enumerated() {
      let filters = 44 << stage
      for index in 0..<4 {
        let (x, skipped) = (current, previous)
        current = cells.cell("cell_\(first + index)", "normal c\(filters)") {
          $0.normal(x, skipped, filters: filters, isFirst: index == 0)
        }
        previous = x
      }
      guard stage < 2 else { break }
      let (x, skipped) = (current, previous)
      current = cells.cell("reduction_cell_\(stage)", "reduction c\(filters * 2)") {
        $0.reduction(x, skipped, filters: filters * 2)
      }
      previous = x
    }
    let features = current
    _ = cells.builder.block("classifier", summary: "global mean, linear") { builder in
      let x = builder.activation(features, "relu", .relu)
      return builder.classify(
        x, "last_linear", classes: options.classes, dropoutRate: options.dropoutRate ?? 0.5)
    }
    return try cells.builder.build()
  }

  private typealias Value = NetworkBuilder.Value

  private static let epsilon = 1e-3
  private var builder: NetworkBuilder
  /// The cell that is being built.
  private var name = ""

  private init(builder: NetworkBuilder) {
    self.builder = builder
  }

  private mutating func cell(
    _ name: String, _ summary: String, _ body: (inout NASNet) -> Value
  ) -> Value {
    var inner = self
    inner.name = name
    let output = builder.block(name, summary: summary) { builder in
      inner.builder = builder
      let output = body(&inner)
      builder = inner.builder
      return output
    }
    return output
  }

  // MARK: Cells

  private mutating func firstStem(_ input: Value, filters: Int) -> Value {
    let x = squeeze(input, "conv_1x1", filters)
    let a = sum(
      0, separable(x, "comb_iter_0_left", filters, kernel: 5, stride: 2),
      separable(input, "comb_iter_0_right", filters, kernel: 7, stride: 2))
    let b = sum(
      1, pool(x, "comb_iter_1_left", .maximum, stride: 2),
      separable(input, "comb_iter_1_right", filters, kernel: 7, stride: 2))
    let c = sum(
      2, pool(x, "comb_iter_2_left", .average, stride: 2),
      separable(input, "comb_iter_2_right", filters, kernel: 5, stride: 2))
    let d = sum(3, pool(a, "comb_iter_3_right", .average, stride: 1), b)
    let e = sum(
      4, separable(a, "comb_iter_4_left", filters, kernel: 3, stride: 1),
      pool(x, "comb_iter_4_right", .maximum, stride: 2))
    return builder.concatenation([b, c, d, e], "\(name).concat")
  }

  private mutating func secondStem(_ input: Value, _ stem: Value, filters: Int) -> Value {
    let left = squeeze(input, "conv_1x1", filters)
    // The first stem rounds odd sizes up, so the paths that skip it do too.
    let right = factorized(stem, filters, roundsUp: true)
    return reduced(left, right, filters: filters)
  }

  /// Two inputs of one size to half of it; `left` is the newer.
  private mutating func reduced(_ left: Value, _ right: Value, filters: Int) -> Value {
    let a = sum(
      0, separable(left, "comb_iter_0_left", filters, kernel: 5, stride: 2, isShifted: true),
      separable(right, "comb_iter_0_right", filters, kernel: 7, stride: 2, isShifted: true))
    let b = sum(
      1, shiftedPool(left, "comb_iter_1_left", .maximum),
      separable(right, "comb_iter_1_right", filters, kernel: 7, stride: 2, isShifted: true))
    let c = sum(
      2, shiftedPool(left, "comb_iter_2_left", .average),
      separable(right, "comb_iter_2_right", filters, kernel: 5, stride: 2, isShifted: true))
    let d = sum(3, pool(a, "comb_iter_3_right", .average, stride: 1), b)
    let e = sum(
      4, separable(a, "comb_iter_4_left", filters, kernel: 3, stride: 1, isShifted: true),
      shiftedPool(left, "comb_iter_4_right", .maximum))
    return builder.concatenation([b, c, d, e], "\(name).concat")
  }

  private mutating func reduction(_ input: Value, _ previous: Value, filters: Int) -> Value {
    let left = squeeze(previous, "conv_prev_1x1", filters)
    let right = squeeze(input, "conv_1x1", filters)
    return reduced(right, left, filters: filters)
  }

  private mutating func normal(
    _ input: Value, _ previous: Value, filters: Int, isFirst: Bool
  ) -> Value {
    let left =
      isFirst
      ? factorized(previous, filters, roundsUp: false)
      : squeeze(previous, "conv_prev_1x1", filters)
    let right = squeeze(input, "conv_1x1", filters)
    let a = sum(
      0, separable(right, "comb_iter_0_left", filters, kernel: 5, stride: 1),
      separable(left, "comb_iter_0_right", filters, kernel: 3, stride: 1))
    let b = sum(
      1, separable(left, "comb_iter_1_left", filters, kernel: 5, stride: 1),
      separable(left, "comb_iter_1_right", filters, kernel: 3, stride: 1))
    let c = sum(2, pool(right, "comb_iter_2_left", .average, stride: 1), left)
    let d = sum(
      3, pool(left, "comb_iter_3_left", .average, stride: 1),
      pool(left, "comb_iter_3_right", .average, stride: 1))
    let e = sum(4, separable(right, "comb_iter_4_left", filters, kernel: 3, stride: 1), right)
    return builder.concatenation([left, a, b, c, d, e], "\(name).concat")
  }

  // MARK: Parts

  private mutating func sum(_ index: Int, _ left: Value, _ right: Value) -> Value {
    builder.sum(left, right, "\(name).comb_iter_\(index)")
  }

  private mutating func norm(_ value: Value, _ suffix: String) -> Value {
    builder.batchNormalization(value, "\(name).\(suffix)", epsilon: Self.epsilon)
  }

  /// ReLU, 1×1, batch norm.
  private mutating func squeeze(_ value: Value, _ part: String, _ filters: Int) -> Value {
    var x = builder.activation(value, "\(name).\(part).relu", .relu)
    x = builder.convolution(x, "\(name).\(part).conv", outputChannels: filters)
    return norm(x, "\(part).bn")
  }

  /// Half of the image: every second pixel from the first, and from the second, each through a 1×1.
  private mutating func factorized(_ value: Value, _ filters: Int, roundsUp: Bool) -> Value {
    let relu = builder.activation(value, "\(name).relu", .relu)
    let every = Pooling(kind: .average, kernelSize: 1, stride: 2)
    let paths = [1, 2].map { path in
      let prefix = "\(name).path_\(path)"
      var x = relu
      if path == 2 {
        let end = roundsUp ? 1 : 0
        x = builder.pad(
          x, "\(prefix).pad", ImagePadding(top: -1, left: -1, bottom: end, right: end))
      } else if !roundsUp {
        x = builder.pad(x, "\(prefix).pad", ImagePadding(bottom: -1, right: -1))
      }
      x = builder.pool(x, "\(prefix).avgpool", every)
      return builder.convolution(x, "\(prefix).conv", outputChannels: filters / 2)
    }
    return norm(builder.concatenation(paths, "\(name).paths"), "final_path_bn")
  }

  /// ReLU, depthwise and 1×1, batch norm, and all that again at stride 1. Shifted by a pixel, the
  /// first convolution's windows start like those of "same" padding for even sizes elsewhere.
  private mutating func separable(
    _ value: Value, _ part: String, _ filters: Int, kernel: Int, stride: Int,
    isShifted: Bool = false
  ) -> Value {
    let prefix = "\(name).\(part)"
    var x = value
    for round in 1...2 {
      x = builder.activation(x, "\(prefix).relu\(round == 1 ? "" : "1")", .relu)
      let shifts = isShifted && round == 1
      if shifts { x = builder.pad(x, "\(prefix).pad", ImagePadding(top: 1, left: 1)) }
      x = builder.convolution(
        x, "\(prefix).separable_\(round).depthwise_conv2d", outputChannels: x.channels,
        kernelSize: kernel, stride: round == 1 ? stride : 1, groups: x.channels)
      x = builder.convolution(
        x, "\(prefix).separable_\(round).pointwise_conv2d", outputChannels: filters)
      if shifts { x = builder.pad(x, "\(prefix).crop", ImagePadding(top: -1, left: -1)) }
      x = norm(x, "\(part).bn_sep_\(round)")
    }
    return x
  }

  private mutating func pool(
    _ value: Value, _ part: String, _ kind: Pooling.Kind, stride: Int
  ) -> Value {
    builder.pool(
      value, "\(name).\(part)",
      Pooling(kind: kind, kernelSize: 3, stride: stride, padding: 1, countsPadding: false))
  }

  /// A pool of stride 2 over the image with a row and a column of zeros before it; the first row
  /// and column of the result are dropped.
  private mutating func shiftedPool(
    _ value: Value, _ part: String, _ kind: Pooling.Kind
  ) -> Value {
    var x = builder.pad(value, "\(name).\(part).pad", ImagePadding(top: 1, left: 1))
    x = pool(x, "\(part).pool", kind, stride: 2)
    return builder.pad(x, "\(name).\(part).crop", ImagePadding(top: -1, left: -1))
  }
}
