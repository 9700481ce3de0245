// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// What went wrong in the tensor layer.
public enum TorchError: Error, Equatable, Sendable {
  /// libtorch refused an operation; the text is libtorch's own, without its stack trace.
  case operation(String)
  /// libtorch, or the library of this package that links it, cannot be loaded; the text says why.
  case missing(String)
  /// The libtorch in this process is not the one that the package was compiled with.
  case version(found: String, needed: String)
  /// A device name other than `cpu`, `cuda`, `cuda:N`, `mps`.
  case unknownDevice(String)
  /// A device that this machine, or this libtorch, does not have.
  case deviceUnavailable(String, count: Int)
  /// Host elements of another type than the tensor's.
  case elementType(expected: DType, actual: DType)
  /// A number of host elements that does not fit the shape.
  case elementCount(shape: [Int], actual: Int)
  /// Lists of tensors that should be as long as each other.
  case listLength(String, expected: Int, actual: Int)
}

extension TorchError: CustomStringConvertible, LocalizedError {
  /// One line: what, where, and how to fix it.
  public var description: String {
    switch self {
    case .operation(let text):
      return "libtorch: \(text)"
    case .missing(let reason):
      return "cannot load libtorch: \(reason) (make build builds it)"
    case .version(let found, let needed):
      return "libtorch \(found) found, \(needed) needed: run scripts/setup and build again"
    case .unknownDevice(let name):
      return "unknown device \"\(name)\": use cpu, cuda, cuda:N or mps"
    case .deviceUnavailable(let name, let count):
      return count > 0
        ? "device \(name) does not exist: this machine has \(count) of its kind, counted from 0"
        : "device \(name) is not available on this machine or in this libtorch: use cpu"
    case .elementType(let expected, let actual):
      return "the tensor's elements are \(actual), not \(expected): convert it with to(_:) first"
    case .elementCount(let shape, let actual):
      return "\(actual) elements do not fit the shape \(shape)"
    case .listLength(let name, let expected, let actual):
      return "\(actual) \(name) given, \(expected) needed"
    }
  }

  /// The same line as `description`.
  public var errorDescription: String? { description }
}
