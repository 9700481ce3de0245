// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// How a store breaks the contract.
public struct StoreContractFailure: Error, Sendable, Hashable, CustomStringConvertible,
  LocalizedError
{
  /// The ``StoreCheck/name`` of the check.
  public let check: String
  /// What was not as it should be.
  public let reason: String

  /// What went wrong, in one line.
  public var description: String { "\(check): \(reason)" }

  /// The same line, for Foundation.
  public var errorDescription: String? { description }
}
