// SPDX-License-Identifier: Apache-2.0

extension NetworkBuilder {
  /// Adds an inverted residual (`ir`): 1×1 expansion, spatial convolution, SE, linear projection.
  mutating func invertedResidual(
    _ block: BlockSpecification, _ value: Value, _ context: BlockContext
  ) throws(NetworkError) -> Value {
    let act = block.activation ?? context.activation
    let exact = Double(value.channels) * block.expansion
    let expanded =
      context.expansionDivisor == 1
      ? ChannelRounding.whole(exact)
      : ChannelRounding.rounded(exact, to: context.expansionDivisor)
    var x = try pointwise(
      value, "\(context.name).conv_pw", outputChannels: expanded, groups: block.expansionGroups)
    x = normalize(x, "bn1", context)
    x = activation(x, "\(context.name).act1", act)
    x = try spatialConvolution(block, x, context)
    x = normalize(x, "bn2", context)
    x = activation(x, "\(context.name).act2", act)
    x = squeezeExcitation(x, block, inputChannels: value.channels, context)
    x = try pointwise(
      x, "\(context.name).conv_pwl", outputChannels: context.outputChannels,
      groups: block.projectionGroups)
    x = normalize(x, "bn3", context)
    return residual(value, x, block, context)
  }

  /// Adds a 1×1 convolution, or one for each of several even slices of the channels (MixNet); a
  /// remainder goes to the first slice.
  private mutating func pointwise(
    _ value: Value, _ name: String, outputChannels: Int, groups: Int
  ) throws(NetworkError) -> Value {
    guard groups > 1 else { return convolution(value, name, outputChannels: outputChannels) }
    guard value.channels >= groups, outputChannels >= groups else {
      throw .invalidLayer(
        name: name,
        reason: "\(value.channels) → \(outputChannels) channels cannot be split in \(groups)")
    }
    func share(_ channels: Int, _ index: Int) -> Int {
      channels / groups + (index == 0 ? channels % groups : 0)
    }
    let branches = (0..<groups).map { index in
      BranchedConvolution.Branch(
        name: "\(index)",
        convolution: Convolution(
          inputChannels: share(value.channels, index),
          outputChannels: share(outputChannels, index)))
    }
    return branchedConvolution(value, name, BranchedConvolution(branches: branches))
  }

  /// Adds the spatial convolution of a block on all of its channels: depthwise, group-wise, of
  /// mixed kernels (MixNet), or with spatial multiplexing (paper, section 3.1).
  mutating func spatialConvolution(
    _ block: BlockSpecification, _ value: Value, _ context: BlockContext
  ) throws(NetworkError) -> Value {
    let name = "\(context.name).conv_dw"
    let channels = value.channels
    if block.scales.isEmpty && block.kernelSizes.count == 1 {
      guard channels % block.groupWidth == 0 else {
        throw .invalidLayer(
          name: name,
          reason: "\(channels) channels cannot be divided into groups of \(block.groupWidth)")
      }
      return convolution(
        value, name, outputChannels: channels, kernelSize: block.kernelSizes[0],
        stride: context.stride, groups: channels / block.groupWidth)
    }
    let branched = try branches(of: block, channels: channels, stride: context.stride, name: name)
    return branchedConvolution(value, name, branched)
  }

  /// The branches of mixed kernels or of spatial multiplexing. Channels are split evenly, a
  /// remainder goes to the first slice; names follow the paper's code (`0`, or `convs.0.1` where a
  /// branch is wrapped in the two moves).
  private func branches(
    of block: BlockSpecification, channels: Int, stride: Int, name: String
  ) throws(NetworkError) -> BranchedConvolution {
    let count = max(block.scales.count, block.kernelSizes.count)
    guard block.scales.isEmpty || [1, block.scales.count].contains(block.kernelSizes.count) else {
      throw .invalidLayer(
        name: name,
        reason: "\(block.kernelSizes.count) kernel sizes for \(block.scales.count) scales;"
          + " give one, or one per scale")
    }
    let share = channels / count
    guard share > 0 else {
      throw .invalidLayer(name: name, reason: "\(channels) channels for \(count) branches")
    }
    let window = block.multiplexingFactor * block.multiplexingFactor
    var branches: [BranchedConvolution.Branch] = []
    for index in 0..<count {
      let scale = block.scales.isEmpty ? .none : block.scales[index]
      var inner = index == 0 ? channels - share * (count - 1) : share
      switch scale {
      case .none: break
      case .subpixel: inner *= window
      case .superpixel:
        guard inner % window == 0 else {
          throw .invalidLayer(
            name: name,
            reason: "the superpixel branch needs a multiple of \(window) channels, not \(inner)"
              + " (a slice of \(channels)); choose widths and expansions so that it divides")
        }
        inner /= window
      }
      guard inner % block.groupWidth == 0 else {
        throw .invalidLayer(
          name: name,
          reason: "\(inner) channels of branch \(index) cannot be divided into groups of"
            + " \(block.groupWidth)")
      }
      let kernel = block.kernelSizes.count == 1 ? block.kernelSizes[0] : block.kernelSizes[index]
      branches.append(
        BranchedConvolution.Branch(
          name: Self.branchName(index, scale: scale, isMultiplexed: !block.scales.isEmpty),
          convolution: Convolution(
            inputChannels: inner, outputChannels: inner, kernelSize: kernel, stride: stride,
            groups: inner / block.groupWidth),
          multiplexing: scale, factor: block.multiplexingFactor))
    }
    return BranchedConvolution(branches: branches)
  }

  private static func branchName(
    _ index: Int, scale: SpatialMultiplexing, isMultiplexed: Bool
  ) -> String {
    guard isMultiplexed else { return "\(index)" }
    return scale == .none ? "convs.\(index)" : "convs.\(index).1"
  }
}
