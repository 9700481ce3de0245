// SPDX-License-Identifier: Apache-2.0
public import MUXTensor

/// A tensor and its name in a state dict.
public struct NamedTensor {
  /// The name, such as `blocks.0.0.conv_pw.weight`.
  public var name: String
  /// The tensor; a reference.
  public var tensor: Tensor

  /// Names a tensor.
  public init(name: String, tensor: Tensor) {
    self.name = name
    self.tensor = tensor
  }
}
