// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks

/// One step of a program: an operation on values, under the name of the layer that it ends with.
struct Step: Hashable, Sendable {
  enum Operation: Hashable, Sendable {
    case spatial(SpatialStep)
    case dense(DenseStep)
    case linear(LinearStep)
    case elementwise(ElementwiseStep)
    case planes(PlaneStep)
    case l2Normalization(L2NormalizationStep)
    case unblock(UnblockStep)
    case pack(PackStep)
  }

  var name: String
  var operation: Operation

  init(_ name: String, _ operation: Operation) {
    self.name = name
    self.operation = operation
  }

  /// What plans and profiles call it.
  var kind: String {
    switch operation {
    case .spatial: "spatial"
    case .dense: "dense"
    case .linear: "linear"
    case .elementwise: "elementwise"
    case .planes(let step): step.kind
    case .l2Normalization: "l2 norm"
    case .unblock: "unblock"
    case .pack: "pack"
    }
  }

  /// The layers whose weights it multiplies with.
  var layers: [String] {
    switch operation {
    case .spatial(let step):
      (step.expansion?.tensors.layers ?? []) + step.branches.flatMap(\.tensors.layers) + [name]
    case .dense(let step): step.tensors.layers
    case .linear(let step): step.tensors.layers
    case .elementwise, .planes, .l2Normalization, .unblock, .pack: []
    }
  }

  /// The key of a tensor's range in a calibration.
  func range(_ tensor: String) -> String { "\(name)/\(tensor)" }
}

/// The trained tensors of a product, by name: a weight, perhaps with a bias, and the batch norms after
/// it, which are folded into both when weights are packed.
struct LayerTensors: Hashable, Sendable {
  /// The layer, or several whose weights are one after the other.
  var layers: [String]
  var hasBias = false
  var norms: [Norm] = []

  struct Norm: Hashable, Sendable {
    var name: String
    var norm: BatchNormalization
  }
}

/// A 1×1 convolution or one with windows whose result stays in a ring of rows, or is multiplied at once.
struct Expansion: Hashable, Sendable {
  var convolution: Convolution
  var tensors: LayerTensors
  var activation: Activation

  var window: Convolution? { convolution.isDensePointwise ? nil : convolution }

  /// Rows and columns of what it makes of planes.
  func size(_ input: ImageSize) -> ImageSize {
    guard let window else { return input }
    return ImageSize(
      height: window.outputSize(input.height), width: window.outputSize(input.width))
  }
}

/// An expansion (or the planes as they are) and the spatial convolution after it, band of rows by band of
/// rows: the expanded rows live in a ring.
struct SpatialStep: Hashable, Sendable {
  var input: Operand
  /// Rows, columns and channels of the input, whatever its format.
  var inputShape: Shape
  var expansion: Expansion?
  var branches: [SpatialBranch]
  /// The batch norms after the branches; their weights and biases stand with these.
  var norms: [LayerTensors.Norm]
  var activation: Activation
  /// Lanes and units; the order of the output.
  var layout: SpatialLayout
  var tiling: SpatialTiling
  /// What is applied to the input where there is no expansion.
  var inputActivation = Activation.identity
  /// The precision of the products. (The result may have less all the same.)
  var precision = Precision.float32
  var output: ValueID
  /// Sums of the output for squeeze-and-excitation.
  var sums: ValueID?
  /// What was expanded, if it is added again later.
  var kept: ValueID?
  var observed: ValueID?

  /// Rows and columns of what the branches convolve.
  var expanded: ImageSize {
    let size = ImageSize(height: inputShape.height, width: inputShape.width)
    return expansion?.size(size) ?? size
  }
}

/// A dense convolution or a projection.
struct DenseStep: Hashable, Sendable {
  enum Source: Hashable, Sendable {
    /// Planes, pixel by pixel.
    case planes(Planes)
    /// Windows of a convolution over planes.
    case windows(Planes, Convolution)
    /// The used lanes of a blocked value, or groups of planes.
    case value(ValueID)
  }

  /// What is added to the result.
  struct Sum: Hashable, Sendable {
    var addend: Operand
    /// Applied after the sum.
    var activation: Activation
  }

  var source: Source
  var tensors: LayerTensors
  /// Inputs of each row of the weight.
  var rowLength: Int
  /// Rows of the weight, and those of them that are computed.
  var rowCount: Int
  var rows: Range<Int>
  var activation: Activation
  /// Factors of the inputs.
  var gate: ValueID?
  var sum: Sum?
  /// Rows and columns of the result, before means are taken.
  var size: ImageSize
  /// Only the means over the pixels are wanted.
  var isPooled = false
  /// Whether weights are packed as those of a fully connected layer, and in which precision.
  var linearWeights: Precision?
  var precision = Precision.float32
  /// How windows are multiplied by Winograd's algorithm, if they are.
  var winograd: Winograd?
  var output: ValueID
  var observed: ValueID?

  var pixels: Int { size.height * size.width }
}

/// A fully connected layer on single values, or on the sums of a blocked value.
struct LinearStep: Hashable, Sendable {
  var input: Operand
  var tensors: LayerTensors
  var activation: Activation
  /// The precision of the weights in memory.
  var weights = Precision.float32
  /// A row of the weight for each channel; of a gate, those of the lanes that are read.
  var output: ValueID
}

/// An operation value by value.
struct ElementwiseStep: Hashable, Sendable {
  enum Mode: String, Hashable, Sendable {
    case unary
    case add
    case multiply
    /// The second operand has one value for each channel.
    case gate
  }

  var mode: Mode
  var a: Planes
  var b: Planes?
  var norm: LayerTensors.Norm?
  var activation = Activation.identity
  var output: ValueID
  /// Where in a flat output the planes begin.
  var offset = 0
}

/// An operation plane by plane.
struct PlaneStep: Hashable, Sendable {
  enum Function: Hashable, Sendable {
    /// Maxima or means over windows; without settings the mean over the plane.
    case pool(Pooling?)
    /// Means over a grid of windows that cover the plane.
    case adaptivePool
    /// Zeros around, or rows and columns cut off.
    case pad(top: Int, left: Int)
    /// Windows to channels, or channels to windows; the size is that of the fine grid.
    case multiplex(toChannels: Bool, factor: Int, height: Int, width: Int)
  }

  var function: Function
  var input: Planes
  var output: ValueID

  var kind: String {
    switch function {
    case .pool, .adaptivePool: "pool"
    case .pad: "pad"
    case .multiplex: "multiplex"
    }
  }
}

/// Each pixel's channels divided by their Euclidean norm.
struct L2NormalizationStep: Hashable, Sendable {
  var norm: L2Normalization
  var input: Planes
  var output: ValueID
}

/// NCHWc to planes.
struct UnblockStep: Hashable, Sendable {
  var input: ValueID
  var output: ValueID
}

/// Planes to VNNI groups.
struct PackStep: Hashable, Sendable {
  var input: Planes
  var output: ValueID
  var observed: ValueID?
}
