// SPDX-License-Identifier: Apache-2.0
import MUXStudies
import MUXStudyTesting
import Testing

@Suite("The contract of stores tells sound stores from others")
struct ContractTests {
  private func run(_ check: StoreCheck, fault: Fault?) throws {
    let inner = MemoryStore()
    try check.run(on: TestedStorage { FaultyStore(inner, access: $0, fault: fault) })
  }

  @Test("A store that does everything right passes", arguments: StoreContract.checks)
  func sound(check: StoreCheck) throws { try run(check, fault: nil) }

  @Test("A fault breaks the sentence that is about it", arguments: Fault.allCases)
  func faults(fault: Fault) throws {
    let check = try #require(StoreContract.checks.first { $0.name.contains(fault.sentence) })
    let failure = #expect(throws: StoreContractFailure.self) { try run(check, fault: fault) }
    #expect(failure?.check == check.name)
    #expect(failure?.description.hasPrefix("\(check.name): ") == true)
  }

  @Test("A check of several handles does not run on a storage that has one")
  func unshared() throws {
    let check = try #require(StoreContract.checks.first { $0.needsSharedStorage })
    #expect(throws: StoreContractFailure.self) {
      try check.run(on: TestedStorage(isShared: false) { _ in MemoryStore() })
    }
  }

  @Test("Each check has a sentence of its own")
  func names() {
    let names = StoreContract.checks.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names.count > 12)
  }
}
