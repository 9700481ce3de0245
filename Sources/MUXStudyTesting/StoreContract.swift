// SPDX-License-Identifier: Apache-2.0
public import MUXStudies

/// What every `StudyStore` has to do, as checks that a test of any framework runs.
///
/// Each check wants an empty storage. With Swift Testing:
///
/// ```swift
/// @Test("Our store keeps studies", arguments: StoreContract.checks)
/// func contract(check: StoreCheck) throws {
///   let path = temporaryPath()
///   try check.run(on: TestedStorage { access in try OurStore(path: path, access: access) })
/// }
/// ```
///
/// With XCTest, `for check in StoreContract.checks { try check.run(on: …) }` does the same. A store that
/// breaks the contract makes a check throw a ``StoreContractFailure``, or its own error.
public enum StoreContract {
  /// All checks.
  public static let checks: [StoreCheck] =
    studyChecks + trialChecks + algorithmChecks + transactionChecks
}

/// One thing that every store has to do.
public struct StoreCheck: Sendable, CustomStringConvertible {
  /// What has to hold, in a sentence.
  public let name: String
  /// Whether it is about several handles on one storage, which one of a process alone does not have.
  public let needsSharedStorage: Bool
  private let body: @Sendable (CheckedStore) throws -> Void

  init(
    _ name: String, needsSharedStorage: Bool = false,
    body: @escaping @Sendable (CheckedStore) throws -> Void
  ) {
    self.name = name
    self.needsSharedStorage = needsSharedStorage
    self.body = body
  }

  /// As `name`: it is what test runners show.
  public var description: String { name }

  /// Checks a store on an empty storage.
  ///
  /// - Throws: ``StoreContractFailure``, or what the store throws where it should not.
  public func run(on storage: TestedStorage) throws {
    if needsSharedStorage, !storage.isShared {
      throw StoreContractFailure(
        check: name, reason: "this check needs a storage that can be opened twice; leave it out")
    }
    try body(CheckedStore(check: name, storage: storage, first: storage.open(.create)))
  }
}

/// An empty storage, and how a store opens it.
public struct TestedStorage: Sendable {
  /// Whether it can be opened again, with what was written before.
  public let isShared: Bool
  let open: @Sendable (StorageAccess) throws -> any StudyStore

  /// A storage.
  ///
  /// - Parameters:
  ///   - isShared: Whether it can be opened again, with what was written before.
  ///   - open: Opens it: first to create, and then, if it is shared, also to write or to read.
  public init(
    isShared: Bool = true, open: @escaping @Sendable (StorageAccess) throws -> any StudyStore
  ) {
    self.isShared = isShared
    self.open = open
  }
}
