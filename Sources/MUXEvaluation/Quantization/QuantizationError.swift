// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Why a model cannot be quantised.
public enum QuantizationError: Hashable, Sendable, DescribedError {
  /// No layer has a name of that pattern.
  case noLayer(pattern: String, network: String, hint: String)
  /// Of so many images none is left to compare on.
  case nothingHeldOut(Int)
  /// The network gives outputs that are not finite.
  case notFinite(network: String, precision: String)

  /// One line: what, where, how to fix.
  public var description: String {
    switch self {
    case .noLayer(let pattern, let network, let hint):
      "no layer of \(network) that has weights matches '\(pattern.printable)'\(hint)"
    case .nothingHeldOut(let count):
      "\(count) image\(count == 1 ? "" : "s") cannot both calibrate the model and be held out for the"
        + " comparison; give more images, or calibrate with fewer"
    case .notFinite(let network, let precision):
      "the network '\(network)' gives outputs that are not finite in \(precision); check its weights"
    }
  }
}
