// SPDX-License-Identifier: Apache-2.0

/// What a node of a network computes, with its settings.
public enum Operation: Sendable, Hashable {
  /// A convolution.
  case convolution(Convolution)
  /// Parallel convolutions over slices of the channels: spatial multiplexing, mixed kernels.
  case branchedConvolution(BranchedConvolution)
  /// Batch normalisation over N, H, W with learnable scale and shift.
  case batchNormalization(BatchNormalization)
  /// Each position's channels divided by their Euclidean norm, times a learnable scale per channel.
  case l2Normalization(L2Normalization)
  /// An element-wise non-linearity.
  case activation(Activation)
  /// A fully connected layer on [N, F].
  case linear(Linear)
  /// The sum of two tensors of one shape.
  case add
  /// The first input [N, C, H, W] times the second, a gate [N, C, 1, 1].
  case multiply
  /// The inputs one after the other along the channels.
  case concatenate
  /// The channels `start ..< start + count`.
  case slice(ChannelSlice)
  /// Channel i·g + j of the output is channel j·C/g + i of the input (paper, section 3.2).
  case channelShuffle(groups: Int)
  /// The maximum or the mean over windows.
  case pool(Pooling)
  /// The mean over H and W, [N, C, H, W] → [N, C, 1, 1].
  case globalAveragePool
  /// Means over a grid of windows that cover the image: window i of n goes from ⌊i·H / n⌋ to
  /// ⌈(i + 1)·H / n⌉, so neighbours may overlap; [N, C, H, W] → [N, C, height, width].
  case adaptiveAveragePool(ImageSize)
  /// Zeros around the image, or rows and columns cut off.
  case pad(ImagePadding)
  /// [N, C, H, W] → [N, C·H·W].
  case flatten
  /// Dropout of single elements while training.
  case dropout(rate: Double)
  /// Stochastic depth: dropout of whole samples while training, the rest scaled up.
  case dropPath(rate: Double)
}

/// Batch normalisation (over N, H, W of each channel).
public struct BatchNormalization: Sendable, Hashable, Codable {
  /// C, the channels.
  public var channels: Int
  /// Added to the variance.
  public var epsilon: Double
  /// The weight of the newest batch in the running statistics (PyTorch's convention).
  public var momentum: Double

  /// PyTorch's defaults, which the paper's code uses: ε = 1e-5, momentum 0.1.
  public init(channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1) {
    self.channels = channels
    self.epsilon = epsilon
    self.momentum = momentum
  }
}

/// Normalisation over the channels of each position: scale[c] · x[c] / max(‖x‖₂, ε) (ParseNet; SSD).
public struct L2Normalization: Sendable, Hashable, Codable {
  /// C, the channels.
  public var channels: Int
  /// The least norm that is divided by.
  public var epsilon: Double

  /// PyTorch's ε unless given. Scales start at 20, as in SSD.
  public init(channels: Int, epsilon: Double = 1e-12) {
    self.channels = channels
    self.epsilon = epsilon
  }
}

/// A fully connected layer, [N, F] → [N, F′].
public struct Linear: Sendable, Hashable, Codable {
  /// F, the features that go in.
  public var inputFeatures: Int
  /// F′, the features that come out.
  public var outputFeatures: Int
  /// Whether a bias is added.
  public var hasBias: Bool

  /// A fully connected layer.
  public init(inputFeatures: Int, outputFeatures: Int, hasBias: Bool = true) {
    self.inputFeatures = inputFeatures
    self.outputFeatures = outputFeatures
    self.hasBias = hasBias
  }
}

/// Consecutive channels of a tensor.
public struct ChannelSlice: Sendable, Hashable, Codable {
  /// The first channel.
  public var start: Int
  /// How many channels.
  public var count: Int

  /// The channels `start ..< start + count`.
  public init(start: Int, count: Int) {
    self.start = start
    self.count = count
  }
}

/// A pool over square windows.
public struct Pooling: Sendable, Hashable, Codable {
  /// What is taken over a window.
  public enum Kind: String, Sendable, Hashable, Codable {
    /// The maximum.
    case maximum
    /// The mean; padded zeros count only if `countsPadding`.
    case average
  }

  /// What is taken over a window.
  public var kind: Kind
  /// The side of the window in pixels.
  public var kernelSize: Int
  /// The step of the window in pixels.
  public var stride: Int
  /// Padding on each side.
  public var padding: Int
  /// Whether padded zeros count in a mean.
  public var countsPadding: Bool

  /// A pool.
  public init(
    kind: Kind, kernelSize: Int, stride: Int, padding: Int = 0, countsPadding: Bool = true
  ) {
    self.kind = kind
    self.kernelSize = kernelSize
    self.stride = stride
    self.padding = padding
    self.countsPadding = countsPadding
  }
}

/// Rows and columns added around an image, in pixels; negative numbers cut off as many.
public struct ImagePadding: Sendable, Hashable, Codable {
  /// Rows above the image.
  public var top: Int
  /// Columns before it.
  public var left: Int
  /// Rows below it.
  public var bottom: Int
  /// Columns behind it.
  public var right: Int

  /// Padding of each side, 0 unless given.
  public init(top: Int = 0, left: Int = 0, bottom: Int = 0, right: Int = 0) {
    self.top = top
    self.left = left
    self.bottom = bottom
    self.right = right
  }
}

extension Operation {
  /// The operation's name in network files and listings.
  public var type: String {
    switch self {
    case .convolution: "convolution"
    case .branchedConvolution: "branchedConvolution"
    case .batchNormalization: "batchNormalization"
    case .l2Normalization: "l2Normalization"
    case .activation: "activation"
    case .linear: "linear"
    case .add: "add"
    case .multiply: "multiply"
    case .concatenate: "concatenate"
    case .slice: "slice"
    case .channelShuffle: "channelShuffle"
    case .pool: "pool"
    case .globalAveragePool: "globalAveragePool"
    case .adaptiveAveragePool: "adaptiveAveragePool"
    case .pad: "pad"
    case .flatten: "flatten"
    case .dropout: "dropout"
    case .dropPath: "dropPath"
    }
  }

  /// How many inputs the operation takes.
  var arity: ClosedRange<Int> {
    switch self {
    case .add, .multiply: 2...2
    case .concatenate: 1...Int.max
    default: 1...1
    }
  }

  /// Says why the settings are impossible, nil if they are sound.
  var defect: String? {
    switch self {
    case .convolution(let convolution): return convolution.defect
    case .branchedConvolution(let branched): return branched.defect
    case .batchNormalization(let norm):
      return norm.channels > 0 && norm.epsilon > 0 && (0...1).contains(norm.momentum)
        ? nil : "a batch normalisation needs channels, a positive ε and a momentum in 0…1"
    case .l2Normalization(let norm):
      return norm.channels > 0 && norm.epsilon > 0
        ? nil : "an L2 normalisation needs channels and a positive ε"
    case .linear(let linear):
      return linear.inputFeatures > 0 && linear.outputFeatures > 0
        ? nil : "a linear layer needs at least one input and one output"
    case .slice(let slice):
      return slice.start >= 0 && slice.count > 0 ? nil : "an empty or negative channel slice"
    case .channelShuffle(let groups): return groups > 0 ? nil : "a shuffle needs at least one group"
    case .pool(let pool):
      return pool.kernelSize > 0 && pool.stride > 0 && pool.padding >= 0
        && pool.padding * 2 <= pool.kernelSize
        ? nil : "a pool needs a window, a stride, and padding of at most half the window"
    case .adaptiveAveragePool(let size):
      return size.height > 0 && size.width > 0
        ? nil : "an adaptive pool needs at least one window in each direction"
    case .dropout(let rate), .dropPath(let rate):
      return (0..<1).contains(rate) ? nil : "a drop rate must be in 0..<1, not \(rate)"
    case .activation, .add, .multiply, .concatenate, .globalAveragePool, .flatten, .pad: return nil
    }
  }
}
