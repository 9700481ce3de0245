// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// What can go wrong when a plan is made or run.
public enum RuntimeError: Error, Sendable, Hashable {
  /// The weights lack tensors of the network, or have others.
  case weights(missing: [String], unexpected: [String])
  /// A tensor has another shape than the network's.
  case weightShape(name: String, expected: [Int], actual: [Int])
  /// A layer that the runtime cannot run.
  case unsupported(layer: String, reason: String)
  /// A file that is not a runtime model.
  case modelFile(path: String, reason: String)
  /// A packed model of another precision than is asked for.
  case precision(path: String, held: String, asked: String)
  /// Widths of vectors that weights cannot be packed for.
  case lanes([Int], possible: [Int])
  /// An instruction set that this processor lacks.
  case instructionSet(String)
  /// A number of threads that cannot be used.
  case threads(Int)
  /// An image whose bytes are not those of its size.
  case image(width: Int, height: Int, bytes: Int)
  /// Pixels of another number than the plan takes.
  case pixelCount(expected: Int, actual: Int, shape: String)
  /// A calibration that lacks the range of a layer's tensor.
  case calibration(layer: String)
  /// Pixels or results that are infinite or not a number.
  case notFinite
}

extension RuntimeError: CustomStringConvertible, LocalizedError {
  /// One line: what is wrong, where, and how to fix it.
  public var description: String {
    switch self {
    case .weights(let missing, let unexpected):
      return "the weights do not fit the network: "
        + [("missing", missing), ("unexpected", unexpected)].filter { !$0.1.isEmpty }
        .map { "\($0.1.count) \($0.0) (\(Self.some($0.1)))" }.joined(separator: ", ")
        + "; give the network that the weights were made for"
    case .weightShape(let name, let expected, let actual):
      return "tensor '\(name)' has shape \(actual), but the network needs \(expected);"
        + " check the model's width and number of classes"
    case .unsupported(let layer, let reason): return "layer '\(layer)': \(reason)"
    case .modelFile(let path, let reason): return "\(path): \(reason)"
    case .precision(let path, let held, let asked):
      return "\(path): it is packed for \(held), not \(asked); leave the precision out, or make"
        + " another file of the weights with muxnet "
        + (asked == "float32" ? "convert --to runtime" : "quantize --precision \(asked)")
    case .lanes(let lanes, let possible):
      return "weights cannot be packed for vectors of"
        + " \(lanes.map(String.init).joined(separator: ", ")) lanes; choose among"
        + " \(possible.map(String.init).joined(separator: ", "))"
    case .instructionSet(let name):
      return "this processor cannot run '\(name)' kernels; leave the choice out to get its best"
    case .threads(let count):
      return "\(count) threads cannot run a plan; use 1 to the number of cores"
    case .image(let width, let height, let bytes):
      return "\(bytes) bytes are no RGB image of \(width)×\(height); give 3 bytes for each pixel"
    case .pixelCount(let expected, let actual, let shape):
      return "the engine takes images of \(shape), that is \(expected) numbers, not \(actual);"
        + " resize the image or make a plan for its size"
    case .calibration(let layer):
      return "the calibration has no range for '\(layer)'; calibrate this network on some images"
    case .notFinite:
      return "the pixels hold a number that is infinite or not a number; check the normalisation"
    }
  }

  /// The same line, for Foundation.
  public var errorDescription: String? { description }

  private static func some(_ names: [String]) -> String {
    names.prefix(3).joined(separator: ", ") + (names.count > 3 ? " …" : "")
  }
}
