// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// A file of tensors that a network cannot run on.
public struct TensorInputError: Sendable, Hashable, DescribedError {
  /// Why a network cannot run on the file.
  public enum Reason: Sendable, Hashable {
    /// There is no tensor `input`; the names that there are.
    case missing(found: [String])
    /// It is not a batch of images of the network's channels.
    case shape([Int], channels: Int)
  }

  /// The path of the file.
  public let path: String
  /// Why the network of the command cannot run on it.
  public let reason: Reason

  /// What is wrong and how to fix it, in one line.
  public var description: String {
    switch reason {
    case .missing(let found):
      "\(path): no tensor “\(TensorFileRun.inputName)”; it has "
        + (found.isEmpty ? "none" : found.prefix(8).joined(separator: ", "))
    case .shape(let shape, let channels):
      "\(path): “\(TensorFileRun.inputName)” has shape \(shape), but the network takes "
        + "[N, \(channels), H, W]"
    }
  }
}
