// SPDX-License-Identifier: Apache-2.0
public import MUXCore
package import MUXRuntime

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

  /// Throws an error that names the first setting out of its range.
  public func validate() throws(ConfigurationError) {
    try ConfigurationError.require("batchSize", batchSize, in: 1...1_000_000)
    try data.validate()
  }
}

/// The arithmetic of libtorch's forward and backward passes. The runtime has a `Precision` of its own:
/// 8-bit integers, which need a calibration and cannot be trained in, but no half precision.
public enum ArithmeticPrecision: String, Codable, CaseIterable, Sendable {
  /// Single precision.
  case float32
  /// Convolutions and linear layers in bfloat16 where that is safe.
  case bfloat16
  /// The same in IEEE half precision, for devices without bfloat16; in training the loss is scaled,
  /// since the gradients would otherwise leave the range.
  case float16
}

// The one place where the precisions of the two engines meet.
extension ArithmeticPrecision {
  /// The runtime's precision of the same products; nil where it has none.
  package var inRuntime: Precision? {
    switch self {
    case .float32: .float32
    case .bfloat16: .bfloat16
    case .float16: nil
    }
  }

  /// libtorch's arithmetic of the same products; nil where it has none.
  package init?(_ precision: Precision) {
    switch precision {
    case .float32: self = .float32
    case .bfloat16: self = .bfloat16
    case .int8: return nil
    }
  }
}
