// SPDX-License-Identifier: Apache-2.0

/// The rule for fresh weights. Scales of batch norms start at 1, shifts and biases at 0.
public enum WeightInitialization: String, Sendable, Hashable, Codable {
  /// Convolutions N(0, √(2 / (k²·C′))), linear layers U(±1/√F′): the paper's code.
  case google
  /// Convolutions N(0, √(2 / (k²·C′ / groups))), linear layers U(±1/√F′): timm's EfficientNets.
  case googleGroups
  /// Convolutions Kaiming normal by fan-out, linear layers N(0, 0.01): torchvision's mobile nets.
  case kaiming
  /// Convolutions and linear layers uniform in ±√(6 / (fan-in + fan-out)): public SSD code.
  case xavier
}
