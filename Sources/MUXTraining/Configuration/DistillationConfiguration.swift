// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// A trained network whose answers are learned beside the truth (Hinton et al. 2015).
public struct DistillationConfiguration: Codable, Hashable, Sendable {
  /// The teacher: a weights file or the folder of a run, of the same task and classes; `nil`, the
  /// default, means none. It sees the same augmented and mixed images, at the size that it was trained
  /// for.
  public var teacher: String?
  /// The temperature T by which outputs of teacher and student are divided before they are compared,
  /// 0.1…100: the higher, the more weigh the classes that are unlikely. 2 by default.
  public var temperature: Double = 2
  /// Share of the loss that is the difference from the teacher (times T², so that its gradients keep
  /// their size), 0…1; the rest is the loss of the task. 0.5 by default.
  public var weight: Double = 0.5

  /// Layers whose values are learned from the teacher's, beside its answers (Romero et al. 2015): names of
  /// layers or blocks of both networks (`blocks.3`), `student=teacher` where they differ, or `auto` for the
  /// last block of each size of feature maps that both have. Learned 1×1 convolutions, which are no part of
  /// the network, lead from one number of channels to the other. By default none.
  public var features: [String] = []
  /// How much the difference of the features weighs beside the other losses: the mean over the layers of
  /// the squared differences, as a share of the teacher's mean square. 0…1000; 1 by default.
  public var featureWeight: Double = 1

  /// The defaults: no teacher.
  public init() {}

  /// Reads the settings that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    try self.init(settingsFrom: decoder)
  }
}

extension DistillationConfiguration: SettingGroup {
  package static var settings: [Setting<Self>] {
    [
      Setting(
        "teacher", \.teacher,
        "A weights file or the folder of a run, of the same task and classes", absent: "none",
        in: .named("teacher.safetensors")),
      Setting(
        "temperature", \.temperature,
        "Divisor of the logits before they are compared; a higher one gives unlikely classes more weight",
        in: .within(0.1...100)),
      Setting(
        "weight", \.weight,
        "The teacher's share of the loss; the rest is the task's loss",
        in: .within(0...1)),
      Setting(
        "features", \.features,
        "Layers whose values are learned from the teacher's: auto, names, or student=teacher"),
      Setting(
        "featureWeight", \.featureWeight,
        "The weight of the feature loss beside the other losses",
        in: .within(0...1000)),
    ]
  }

  /// Throws an error that names the first setting out of its range.
  public func validate(path: String = "distillation") throws(ConfigurationError) {
    try checkSettings(path: path)
    try ConfigurationError.require(
      features.isEmpty || teacher != nil, "\(path).features", features,
      "are those of \(path).teacher, and that is not set")
  }
}
