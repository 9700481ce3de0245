// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import MUXNetworks

/// How a unit of a spatial step convolves; the numbers are those of the kernels and of packed files.
enum SpatialMode: Int, Hashable, Sendable {
  case plain = 0
  case subpixel = 1
  case superpixel = 2
  /// A superpixel unit whose block has all four phases.
  case narrowSuperpixel = 3
}

/// One convolution of a spatial step.
struct SpatialBranch: Hashable, Sendable {
  var convolution: Convolution
  /// The rows above the image (of what the convolution reads) and the columns before it at which the
  /// first window begins.
  var zeros: ImageSize
  var mode = SpatialMode.plain
  var factor = 1
  /// The first channel that it reads, and the first that it gives.
  var firstInput = 0
  var firstOutput = 0
  var tensors: LayerTensors

  var window: Int { factor * factor }

  /// A convolution of an image of that size on its own.
  init(_ convolution: Convolution, input: ImageSize, tensors: LayerTensors) {
    self.convolution = convolution
    self.tensors = tensors
    zeros = ImageSize(
      height: convolution.zeros(around: input.height).before,
      width: convolution.zeros(around: input.width).before)
  }

  /// Whether a convolution suits the spatial kernel: lanes are groups, so a group must be narrow.
  static func suits(_ convolution: Convolution) -> Bool {
    (convolution.groups > 1 || convolution.inputChannels == 1)
      && convolution.outputChannels / convolution.groups < 8
      && convolution.groupWidth * convolution.kernelSize <= Int(MUX_MAX_WINDOW_ROWS)
  }

  private static func suits(_ branch: BranchedConvolution.Branch) -> Bool {
    let convolution = branch.convolution
    guard branch.multiplexing != .none else { return suits(convolution) }
    return convolution.groups == convolution.inputChannels
      && convolution.groups == convolution.outputChannels
      && convolution.kernelSize <= Int(MUX_MAX_WINDOW_ROWS)
  }

  /// Whether the spatial kernel has a way for a convolution node.
  static func suits(_ operation: Operation) -> Bool {
    switch operation {
    case .convolution(let convolution): suits(convolution)
    case .branchedConvolution(let branched): branched.branches.allSatisfy { suits($0) }
    case .linear, .batchNormalization, .l2Normalization, .activation, .add, .multiply,
      .concatenate, .slice, .channelShuffle, .pool, .globalAveragePool, .adaptiveAveragePool, .pad,
      .flatten, .dropout, .dropPath:
      false
    }
  }

  /// Branches side by side; neighbours that convolve alike are one, so that fewer lanes stay empty.
  static func branches(
    _ branched: BranchedConvolution, of name: String, input: Shape
  ) -> [SpatialBranch] {
    var branches: [SpatialBranch] = []
    var firstInput = 0, firstOutput = 0
    for part in branched.branches {
      let convolution = part.convolution
      var branch = SpatialBranch(
        convolution, input: part.innerSize(input),
        tensors: LayerTensors(
          layers: ["\(name).\(part.name)"], hasBias: convolution.hasBias))
      switch part.multiplexing {
      case .none: branch.mode = .plain
      case .subpixel: branch.mode = .subpixel
      case .superpixel: branch.mode = .superpixel
      }
      branch.factor = part.multiplexing == .none ? 1 : part.factor
      (branch.firstInput, branch.firstOutput) = (firstInput, firstOutput)
      firstInput += part.inputChannels
      firstOutput += part.outputChannels
      if let both = branches.last?.joined(with: branch) {
        branches[branches.count - 1] = both
      } else {
        branches.append(branch)
      }
    }
    return branches
  }

  /// Both as one; nil if they do not convolve alike.
  private func joined(with next: SpatialBranch) -> SpatialBranch? {
    let own = convolution, other = next.convolution
    guard mode == .plain, next.mode == .plain, zeros == next.zeros,
      other.inputChannels * own.groups == own.inputChannels * other.groups,
      other.outputChannels * own.groups == own.outputChannels * other.groups
    else { return nil }
    var alike = other
    alike.inputChannels = own.inputChannels
    alike.outputChannels = own.outputChannels
    alike.groups = own.groups
    guard alike == own else { return nil }
    var both = self
    both.convolution.inputChannels += other.inputChannels
    both.convolution.outputChannels += other.outputChannels
    both.convolution.groups += other.groups
    both.tensors.layers += next.tensors.layers
    return both
  }

  /// Multiply-adds for each pixel of the step's output, times its size.
  func multiplyAdds(height: Int, width: Int) -> Int {
    convolution.weightShape.reduce(1, *) * height * width / window
      * (mode == .superpixel ? window * window : 1)
  }
}
