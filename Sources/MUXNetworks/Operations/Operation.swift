// SPDX-License-Identifier: Apache-2.0
public import MUXCore

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
