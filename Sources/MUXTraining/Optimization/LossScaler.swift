// SPDX-License-Identifier: Apache-2.0

/// The factor by which the loss is multiplied before the backward pass in half precision, so that
/// small gradients do not round to zero; the gradients are divided by it again before they are
/// used.
///
/// It follows the gradients: halved where they overflowed (the step is then skipped), doubled after
/// `growthInterval` steps without overflow. These are the rules of PyTorch's `GradScaler`.
public struct LossScaler: Codable, Hashable, Sendable {
  /// Steps without overflow after which the factor doubles.
  static let growthInterval = 2000
  /// Below this the scale is not to blame: the gradients themselves are infinite.
  public static let minimum = 1.0

  /// The factor.
  public private(set) var scale: Double
  /// Steps without overflow since the factor last changed.
  public private(set) var steadySteps = 0

  /// Starts at a scale that gradients usually bear for some hundred steps.
  public init(scale: Double = 65_536) {
    self.scale = scale
  }

  /// Whether there is no room left to lower the factor.
  public var isExhausted: Bool { scale < Self.minimum }

  /// Takes note of a step.
  ///
  /// - Parameter isFinite: Whether all gradients were finite.
  public mutating func update(isFinite: Bool) {
    guard isFinite else {
      scale /= 2
      steadySteps = 0
      return
    }
    steadySteps += 1
    guard steadySteps == Self.growthInterval else { return }
    scale *= 2
    steadySteps = 0
  }
}
