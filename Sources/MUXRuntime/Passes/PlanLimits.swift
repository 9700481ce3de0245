// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks

/// Bounds within which the compiler's and the kernels' arithmetic cannot overflow.
///
/// A network in a file is somebody's claim; a plan of it must be impossible, not dangerous.
enum PlanLimits {
  /// Most planes of all tensors together: their lists must fit into memory.
  static let planes = 1 << 24

  /// - Throws: ``RuntimeError/unsupported(layer:reason:)`` naming the first layer beyond the bounds.
  static func check(_ network: Network, shapes: [Shape]) throws(RuntimeError) {
    var planes = network.inputChannels
    for (index, node) in network.nodes.enumerated() {
      planes += shapes[index].channels
      guard planes <= Self.planes else {
        throw .unsupported(layer: node.name, reason: "the network has too many channels to run")
      }
      for (convolution, factor) in node.operation.windows {
        // Multiplexing makes the convolution's grid at most `factor` times as wide.
        try check(convolution, node.name, width: shapes[index].width * factor)
      }
    }
  }

  /// The rows under a window are gathered, and addressed with 32 bits.
  private static func check(
    _ convolution: Convolution, _ name: String, width: Int
  ) throws(RuntimeError) {
    let rows = convolution.groupWidth * convolution.kernelSize
    let length =
      (max(width, 1) - 1) * convolution.stride
      + (convolution.kernelSize - 1) * convolution.dilation + 1
    let (size, overflow) = rows.multipliedReportingOverflow(by: length)
    guard !overflow, size < Int(Int32.max), width < Int(Int32.max) else {
      throw .unsupported(layer: name, reason: "its windows are too large to run")
    }
  }
}
