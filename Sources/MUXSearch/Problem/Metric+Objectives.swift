// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// The quantities that searches make small.
extension Metric {
  /// 1 − accuracy, in percent; has to be trained for.
  public static let error = Metric(
    "error", label: "error", unit: "%", direction: .lower, format: .significant, minimum: 0,
    maximum: 100)
  /// Learnable scalars.
  public static let parameters = Metric(
    "params", label: "parameters", direction: .lower, format: .scaled, minimum: 0)
  /// Multiply-adds of convolutions and linear layers on one image.
  public static let multiplyAdds = Metric(
    "madds", label: "multiply-adds", direction: .lower, format: .scaled, minimum: 0)
  /// Milliseconds for one image; has to be measured.
  public static let latency = Metric(
    "latency", unit: "ms", direction: .lower, format: .significant, minimum: 0)
  /// Seconds of training, as published tables have them.
  public static let trainingTime = Metric(
    "time", label: "training time", direction: .lower, format: .scaled, minimum: 0)

  /// All of these.
  public static let objectives = [
    Metric.error, .parameters, .multiplyAdds, .latency, .trainingTime,
  ]

  /// The quantity of a name; one that is not known here is a number of which less is better.
  static func objective(named name: String) -> Metric {
    objectives.first { $0.name == name } ?? Metric(name, direction: .lower, format: .scaled)
  }
}
