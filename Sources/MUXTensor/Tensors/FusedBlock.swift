// SPDX-License-Identifier: Apache-2.0
package import CMUXKernels
internal import CTorch

/// A batch norm inside a fused operation; the running statistics are updated when training.
package struct FusedNorm {
  var weight: Tensor
  var bias: Tensor
  var mean: Tensor
  var variance: Tensor
  var epsilon: Double
  var momentum: Double

  package init(
    weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, epsilon: Double, momentum: Double
  ) {
    self.weight = weight
    self.bias = bias
    self.mean = mean
    self.variance = variance
    self.epsilon = epsilon
    self.momentum = momentum
  }

  var descriptor: ct_fused_norm {
    ct_fused_norm(
      weight: weight.handle, bias: bias.handle, mean: mean.handle, variance: variance.handle,
      epsilon: epsilon, momentum: momentum)
  }
}

/// A block of a mobile network as one differentiable operation on the CPU in 32-bit floats:
/// [expansion] → spatial convolution → [squeeze-and-excitation] → projection, each with batch norm,
/// then [residual sum] and [concatenation with the channels left out, shuffle].
///
/// Only the raw outputs of the convolutions are kept for backward; batch norm and activation are
/// computed again where a value is read.
package struct FusedBlock {
  /// The 1×1 expansion.
  package struct Expansion {
    var weight: Tensor
    var norm: FusedNorm

    package init(weight: Tensor, norm: FusedNorm) {
      self.weight = weight
      self.norm = norm
    }
  }

  /// One slice of the spatial convolution's channels. `multiplexing` is −1, 0 or 1.
  package struct Branch {
    var channels: Int
    var kernelSize: Int
    var groupWidth: Int
    var multiplexing: Int
    var weight: Tensor
    /// The rows above an image of a height, or the columns before one of a width, at which the
    /// windows begin: half the kernel, or one less.
    var zerosBefore: @Sendable (Int) -> Int

    package init(
      channels: Int, kernelSize: Int, groupWidth: Int, multiplexing: Int, weight: Tensor,
      zerosBefore: @escaping @Sendable (Int) -> Int
    ) {
      self.channels = channels
      self.kernelSize = kernelSize
      self.groupWidth = groupWidth
      self.multiplexing = multiplexing
      self.weight = weight
      self.zerosBefore = zerosBefore
    }
  }

  /// The two 1×1 convolutions with bias of squeeze-and-excitation.
  package struct Squeeze {
    var reduceWeight: Tensor
    var reduceBias: Tensor
    var expandWeight: Tensor
    var expandBias: Tensor
    var activation: mux_activation
    var gate: mux_activation

    package init(
      reduceWeight: Tensor, reduceBias: Tensor, expandWeight: Tensor, expandBias: Tensor,
      activation: mux_activation, gate: mux_activation
    ) {
      self.reduceWeight = reduceWeight
      self.reduceBias = reduceBias
      self.expandWeight = expandWeight
      self.expandBias = expandBias
      self.activation = activation
      self.gate = gate
    }
  }

  var activation: mux_activation
  var processedChannels: Int
  var shuffleGroups: Int
  var hasResidual: Bool
  var expansion: Expansion?
  var stride: Int
  var factor: Int
  var branches: [Branch]
  var spatialNorm: FusedNorm
  var squeeze: Squeeze?
  var projection: Tensor
  var projectionNorm: FusedNorm

  /// `shuffleGroups` 1 stands for no shuffle, `factor` is r of the spatial multiplexing.
  package init(
    activation: mux_activation, processedChannels: Int, shuffleGroups: Int, hasResidual: Bool,
    expansion: Expansion?, stride: Int, factor: Int, branches: [Branch], spatialNorm: FusedNorm,
    squeeze: Squeeze?, projection: Tensor, projectionNorm: FusedNorm
  ) {
    self.activation = activation
    self.processedChannels = processedChannels
    self.shuffleGroups = shuffleGroups
    self.hasResidual = hasResidual
    self.expansion = expansion
    self.stride = stride
    self.factor = factor
    self.branches = branches
    self.spatialNorm = spatialNorm
    self.squeeze = squeeze
    self.projection = projection
    self.projectionNorm = projectionNorm
  }

  /// The block's value for x [N, C, H, W]; nil where the kernels cannot take it (then nothing has
  /// changed).
  package func run(_ x: Tensor, training: Bool) throws(TorchError) -> Tensor? {
    var block = ct_fused_block()
    block.training = training
    block.activation = activation
    block.processed = Int32(processedChannels)
    block.shuffle_groups = Int32(shuffleGroups)
    block.residual = hasResidual
    if let expansion {
      block.expansion = expansion.weight.handle
      block.expansion_norm = expansion.norm.descriptor
    }
    block.stride = Int32(stride)
    block.factor = Int32(factor)
    block.spatial_norm = spatialNorm.descriptor
    if let squeeze {
      block.reduce_weight = squeeze.reduceWeight.handle
      block.reduce_bias = squeeze.reduceBias.handle
      block.expand_weight = squeeze.expandWeight.handle
      block.expand_bias = squeeze.expandBias.handle
      block.squeeze_activation = squeeze.activation
      block.gate_activation = squeeze.gate
    }
    block.projection = projection.handle
    block.projection_norm = projectionNorm.descriptor
    let slices = branches.map {
      ct_fused_branch(
        channels: Int32($0.channels), kernel: Int32($0.kernelSize),
        group_width: Int32($0.groupWidth), multiplex: Int32($0.multiplexing),
        top: Int32($0.zerosBefore(x.size(2))), left: Int32($0.zerosBefore(x.size(3))),
        weight: $0.weight.handle)
    }
    block.branch_count = Int32(slices.count)
    var output: ct_tensor?
    let text: ct_error? = slices.withUnsafeBufferPointer { slices in
      block.branches = slices.baseAddress
      guard ct_fused_block_refusal(&block, x.handle) == nil else { return nil }
      return ct_fused_block_run(&block, x.handle, &output)
    }
    try succeed(text)
    return output.map(Tensor.init(handle:))
  }
}

/// Convolution, batch norm, activation and, if wanted, a global average pool as one differentiable
/// operation on the CPU in 32-bit floats: the stem and the head of a network.
package struct FusedConvolution {
  var activation: mux_activation
  var pools: Bool
  var stride: Int
  /// The zeros before the first and behind the last of so many rows or columns.
  var zeros: @Sendable (Int) -> (before: Int, behind: Int)
  var weight: Tensor
  var norm: FusedNorm

  package init(
    activation: mux_activation, pools: Bool, stride: Int,
    zeros: @escaping @Sendable (Int) -> (before: Int, behind: Int), weight: Tensor, norm: FusedNorm
  ) {
    self.activation = activation
    self.pools = pools
    self.stride = stride
    self.zeros = zeros
    self.weight = weight
    self.norm = norm
  }

  /// The value for x [N, C, H, W], [N, C′, 1, 1] with the pool; nil where the kernels cannot take it.
  package func run(_ x: Tensor, training: Bool) throws(TorchError) -> Tensor? {
    var layer = ct_fused_convolution()
    layer.training = training
    layer.activation = activation
    layer.pool = pools
    layer.stride = Int32(stride)
    let (rows, columns) = (zeros(x.size(2)), zeros(x.size(3)))
    layer.top = Int32(rows.before)
    layer.bottom = Int32(rows.behind)
    layer.left = Int32(columns.before)
    layer.right = Int32(columns.behind)
    layer.weight = weight.handle
    layer.norm = norm.descriptor
    guard ct_fused_convolution_refusal(&layer, x.handle) == nil else { return nil }
    return try make { ct_fused_convolution_run(&layer, x.handle, $0) }
  }
}

extension TorchRuntime {
  /// Frees the memory that fused operations keep for their next call.
  package static func releaseFusedMemory() { ct_fused_release_memory() }
}
