// SPDX-License-Identifier: Apache-2.0
public import MUXImages

/// Turns a network with its weights into an ONNX model for inference.
///
/// ```swift
/// var export = ONNXExport()
/// export.batch = .dynamic
/// try export.model(network, weights: archive).write(to: "muxnet_m.onnx")
/// ```
/// The input is called `input`, [N, C, H, W] in single precision; the output `output`, [N, classes] as a
/// rule (a detector has several, named after their layers, or boxes; see ``postProcessing``). Tensors keep
/// their PyTorch names. What only training needs (dropout, stochastic depth) is left out. Spatial
/// multiplexing becomes SpaceToDepth and DepthToSpace, whose channels are phase-major as in the paper's
/// code. A channel shuffle costs nothing where the next layer is a convolution, a sum or a gate: the order
/// of the channels goes into the weights; elsewhere it is one Gather, together with the slice behind it.
public struct ONNXExport: Sendable {
  /// The version of the operator set: ONNX 1.12, which every runtime of the last years reads.
  public static let operatorSet = 17
  /// The version of the file format that belongs to it.
  public static let formatVersion = 8
  /// The name of the model's input.
  public static let inputName = "input"
  /// The name of the model's output; a detector's outputs have the names of their layers.
  public static let outputName = "output"

  /// N, the images in a batch.
  public enum Batch: Sendable, Hashable {
    /// Always so many.
    case fixed(Int)
    /// Any number; the dimension is called `N`.
    case dynamic
  }

  /// The images in a batch.
  public var batch: Batch = .fixed(1)
  /// Whether batch norms stay nodes of their own, instead of going into the convolution before them.
  public var keepsBatchNormalization = false
  /// The size of the images, nil for the network's.
  public var inputSize: ImageSize?
  /// The names of the classes, in the order of the outputs; empty where unknown.
  public var classNames: [String] = []
  /// What is done to an image before it goes in, nil where unknown. It is in the metadata, for the
  /// size of the model's input; the model takes what comes out.
  public var pipeline: ImagePipeline?
  /// What makes boxes of a detector's outputs inside the model; nil leaves the outputs as they are.
  public var postProcessing: DetectionPostProcessing?
  /// The licence of the weights, nil where unknown.
  public var license: String?
  /// The version of the program that exports.
  public var producerVersion = ""

  /// Batch 1, folded batch norms, the network's own image size.
  public init() {}
}
