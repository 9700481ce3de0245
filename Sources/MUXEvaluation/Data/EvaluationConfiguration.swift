// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// On which images weights are evaluated, and how.
public struct EvaluationConfiguration: Codable, Hashable, Sendable {
  /// Images in one batch, unless ``DataConfiguration/evaluationBatchSize`` says otherwise.
  public var batchSize: Int = 128
  /// The arithmetic, where libtorch computes.
  public var precision: ArithmeticPrecision = .float32
  /// The images.
  public var data = DataConfiguration()

  /// The keys that ``init(from:)`` knows; the settings of a run have more.
  public static let keys = ["batchSize", "precision", "data"]

  /// The defaults: a folder of images.
  public init() {}

  /// Reads the settings that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    var given = 0
    try container.update(&given, .batchSize)
    // A batch that follows the training images means nothing here.
    if given != 0 { batchSize = given }
    try container.update(&precision, .precision)
    try container.update(&data, .data)
  }

  /// Checks every setting.
  public func validate() throws(ConfigurationError) {
    try ConfigurationError.require("batchSize", batchSize, in: 1...1_000_000)
    try data.validate()
  }
}

/// The arithmetic of a forward pass.
public enum ArithmeticPrecision: String, Codable, CaseIterable, Sendable {
  /// Single precision.
  case float32
  /// Convolutions and linear layers in bfloat16 where that is safe.
  case bfloat16
  /// The same in IEEE half precision, for devices without bfloat16; in training the loss is scaled,
  /// since the gradients would otherwise leave the range.
  case float16
}
