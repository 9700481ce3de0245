// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import MUXStudies

/// The store of a check, with what checks say of it.
struct CheckedStore: Sendable {
  let check: String
  let storage: TestedStorage
  /// The handle that was opened first, to create.
  let first: any StudyStore

  func fail(_ reason: String) -> StoreContractFailure {
    StoreContractFailure(check: check, reason: reason)
  }

  /// Two values are equal.
  func expect<Value: Equatable>(_ value: Value, is expected: Value, _ what: String) throws {
    guard value == expected else { throw fail("\(what): \(value) instead of \(expected)") }
  }

  func expect(_ holds: Bool, _ what: String) throws {
    guard holds else { throw fail("it does not hold that \(what)") }
  }

  /// An error that `isExpected` knows comes out of `body`.
  func expectError(
    _ what: String, where isExpected: (StudyError) -> Bool = { _ in true },
    _ body: () throws -> Void
  ) throws {
    do {
      try body()
    } catch let error as StudyError {
      guard isExpected(error) else { throw fail("\(what) throws another error: \(error)") }
      return
    } catch {
      throw fail("\(what) throws an error that is no StudyError: \(error)")
    }
    throw fail("\(what) throws no error")
  }

  func write<Result>(_ body: (any StudyTransaction) throws -> Result) throws -> Result {
    try first.write(body)
  }

  func read<Result>(_ body: (any StudyTransaction) throws -> Result) throws -> Result {
    try first.read(body)
  }

  /// Adds an empty study and gives its number.
  func insertStudy(_ name: String = "a") throws -> Int {
    try write { try $0.insert(SampleStudy.study(name)) }
  }
}

/// Studies and trials to put into stores.
enum SampleStudy {
  static let created = Date(timeIntervalSince1970: 1_700_000_000.5)

  static func definition() throws -> StudyDefinition {
    try StudyDefinition(
      networks: NetworkSpace.named("digits"),
      targets: [
        ReferenceTarget("small", parameters: 5e3, multiplyAdds: 1e5),
        ReferenceTarget("large", parameters: 4e4, multiplyAdds: 8e5),
      ], algorithm: .moead(), seed: 1, evaluation: .command(line: "false"),
      limits: StudyLimits(trials: 20))
  }

  static func study(_ name: String) throws -> Study {
    Study(name: name, created: created, definition: try definition())
  }

  static func trial(_ number: Int) -> Trial {
    var trial = Trial(
      Candidate(
        id: number, genome: Genome([number % 2] + [Int](repeating: 0, count: 17)),
        key: ArchitectureKey(high: UInt64.max - 1, low: UInt64(number)), subproblem: nil),
      created: Date(timeIntervalSince1970: 1_700_000_000.123))
    trial.attributes = ["note": "line\nbreak"]
    return trial
  }

  static func state(_ revision: Int) -> AlgorithmRecord {
    AlgorithmRecord(revision: revision, state: Data("{\"at\":\(revision)}".utf8))
  }

  static func step(_ revision: Int) -> AlgorithmStep {
    let key = ArchitectureKey(high: .max, low: .max - UInt64(revision))
    return AlgorithmStep(
      revision: revision,
      told: [.init(id: 1, objectives: [0.1, 1e300, 3], violation: 0.2), .failed(id: 2)],
      reopened: [Candidate(id: 2, genome: Genome([1, 2]), key: key, subproblem: nil)],
      ask: .init(number: revision, refused: [key]))
  }
}
