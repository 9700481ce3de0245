// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXStudies
import MUXStudyTestSupport
import MUXStudyTesting
import MUXTestSupport
import Testing

/// The stores of this package do what `MUXStudyTesting` says of every store.
@Suite("Stores keep studies", .tags(.processes), .endsSometime, .onWaitingThreads)
struct StoreContractTests {
  @Test(
    "PostgreSQL is among the tested stores",
    .enabled(
      if: PostgresServer.isAvailable, "PostgreSQL is not installed")
  )
  func postgresIsTested() throws {
    #expect(StoreKind.available.contains(.postgres))
    try #expect(PostgresServer.shared.get().port > 0)
  }

  @Test("The contract of stores", arguments: StoreKind.available, StoreContract.checks)
  func contract(kind: StoreKind, check: StoreCheck) throws {
    let isShared = StoreKind.shared.contains(kind)
    guard isShared || !check.needsSharedStorage else { return }
    let folder = try TemporaryFolder()
    let url = try kind.url(in: folder)
    // One process's studies: every handle is the same.
    let only = isShared ? nil : try StudyStorage.open(url, for: .create)
    try check.run(
      on: TestedStorage(isShared: isShared) { try only ?? StudyStorage.open(url, for: $0) })
  }

  @Test("What is not there is named", arguments: StoreKind.available)
  func missing(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let store = try StudyStorage.open(kind.url(in: folder), for: .create)
    let study = Study(id: 77, name: "gone", created: .now, definition: try Sample.definition())
    let error = #expect(throws: StudyError.self) { try store.write { try $0.update(study) } }
    #expect("\(try #require(error))".contains("is not there; it may have been deleted meanwhile"))
  }
}
