// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXTensor

/// What can be wrong when a network runs on tensors.
public enum ExecutionError: Error, Equatable, Sendable {
  /// A batch of images of another shape than [N, C, H, W] with the network's C.
  case inputShape(network: String, channels: Int, actual: [Int])
  /// A batch of another element type than the network's parameters.
  case inputType(network: String, expected: DType, actual: DType)
  /// A batch on another device than the network's parameters.
  case inputDevice(network: String, expected: Device, actual: Device)
  /// Parameters can only be of floating point.
  case parameterType(DType)
  /// One output is asked of a network that has several.
  case severalOutputs(network: String, count: Int)
  /// Tensors from elsewhere that are not those of the network.
  case foreignTensors(network: String)
  /// A segment that cannot stand for its nodes.
  case segment(nodes: Range<Int>, reason: String)
}

extension ExecutionError: DescribedError {
  /// One line: what is wrong, where, and how to fix it.
  public var description: String {
    switch self {
    case .inputShape(let network, let channels, let actual):
      "network '\(network)' takes images [N, \(channels), H, W], not \(actual)"
    case .inputType(let network, let expected, let actual):
      "network '\(network)' computes in \(expected), the images are \(actual): convert them first"
    case .inputDevice(let network, let expected, let actual):
      "network '\(network)' is on \(expected), the images are on \(actual): move them first"
    case .parameterType(let type):
      "parameters cannot be of type \(type): use float32, float64 or bfloat16"
    case .severalOutputs(let network, let count):
      "network '\(network)' has \(count) outputs (a detector), but a classifier's one is needed:"
        + " take another network, or name a layer"
    case .foreignTensors(let network):
      "the tensors are not those of network '\(network)': their number or shapes differ"
    case .segment(let nodes, let reason):
      "nodes \(nodes.lowerBound)..<\(nodes.upperBound) cannot run as one segment: \(reason)"
    }
  }
}
