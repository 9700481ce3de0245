// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// An error whose description says in one line what is wrong and how to put it right.
///
/// Foundation's `localizedDescription`, which apps show, is the same line.
public protocol DescribedError: LocalizedError, CustomStringConvertible {}

extension DescribedError {
  /// The description, for Foundation.
  public var errorDescription: String? { description }
}
