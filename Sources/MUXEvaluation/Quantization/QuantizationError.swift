// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// Why a model cannot be quantised.
public enum QuantizationError: Error, Hashable, Sendable, CustomStringConvertible, LocalizedError {
  /// Of so many images none is left to compare on.
  case nothingHeldOut(Int)
  /// The network gives numbers that are none.
  case notFinite(network: String, precision: String)

  /// One line: what, where, how to fix.
  public var description: String {
    switch self {
    case .nothingHeldOut(let count):
      "\(count) image\(count == 1 ? "" : "s") cannot both calibrate the model and be held out for the"
        + " comparison; give more, or fewer --calibration-images"
    case .notFinite(let network, let precision):
      "the network '\(network)' gives numbers that are infinite or none in \(precision); check its"
        + " weights"
    }
  }

  /// The same line.
  public var errorDescription: String? { description }
}
