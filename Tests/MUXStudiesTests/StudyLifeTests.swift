// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import MUXStudies
import MUXStudyTestSupport
import MUXTestSupport
import Testing

/// Whole studies; `CoordinatorTests` are about the trials of one.
@Suite(
  "Studies are made, found and run by one process", .tags(.waits), .endsSometime,
  .onWaitingThreads)
struct StudyLifeTests {
  @Test("One process drives a study at a time", arguments: StoreKind.available)
  func masters(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let coordinator = StudyCoordinator(
      try StudyStorage.open(kind.url(in: folder), for: .create))
    let study = try coordinator.create("a", try Sample.definition(lease: 0.5))
    try coordinator.acquireMaster(of: study, Sample.worker(1))
    try coordinator.acquireMaster(of: study, Sample.worker(1))
    let error = try #require(throws: StudyError.self) {
      try coordinator.acquireMaster(of: study, Sample.worker(2))
    }
    #expect("\(error)".hasPrefix("study 'a' is already run by process 1 on elsewhere"))
    // Another's release does nothing.
    try coordinator.releaseMaster(of: study, Sample.worker(2))
    #expect(throws: StudyError.self) {
      try coordinator.acquireMaster(of: study, Sample.worker(2))
    }
    Thread.sleep(forTimeInterval: 0.6)
    try coordinator.acquireMaster(of: study, Sample.worker(2))
    try coordinator.releaseMaster(of: study, Sample.worker(2))
    try #expect(coordinator.study(named: "a").master == nil)
    var dead = ProcessIdentity.current()
    dead.process = 1 << 30
    try coordinator.acquireMaster(of: study, dead)
    try coordinator.acquireMaster(of: study, Sample.worker(3))
  }

  @Test(
    "Studies are found by name, with the nearest ones for a wrong name",
    arguments: StoreKind.available)
  func names(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let coordinator = StudyCoordinator(
      try StudyStorage.open(kind.url(in: folder), for: .create))
    #expect(throws: StudyError.unnamedStudy(names: [])) { try coordinator.study(named: nil) }
    let study = try coordinator.create("digits", try Sample.definition())
    try #expect(coordinator.study(named: nil) == study)
    try coordinator.create("cifar", try Sample.definition())
    #expect(throws: StudyError.unnamedStudy(names: ["digits", "cifar"])) {
      try coordinator.study(named: nil)
    }
    #expect(throws: StudyError.unknownStudy(name: "digts", nearest: ["digits"], count: 2)) {
      try coordinator.study(named: "digts")
    }
    #expect(throws: StudyError.studyExists(name: "digits")) {
      try coordinator.create("digits", try Sample.definition())
    }
    for name in ["", "a/b", "a\nb", "-x"] {
      #expect(throws: StudyError.self) { try coordinator.create(name, try Sample.definition()) }
    }
    try coordinator.setAttributes(["a": "1", "b": "2"], of: study)
    try coordinator.setAttributes(["a": ""], of: study)
    try #expect(coordinator.study(named: "digits").attributes == ["b": "2"])
    try coordinator.delete(study)
    try #expect(coordinator.studies().map(\.name) == ["cifar"])
    #expect(throws: StudyError.unknownStudy(name: "digits", nearest: [], count: 1)) {
      try coordinator.next(of: study, for: Sample.worker(1))
    }
  }

  @Test("Targets out of reach and limits that no network keeps are refused with the range")
  func unreachable() throws {
    let coordinator = StudyCoordinator(MemoryStore())
    var definition = try Sample.definition()
    definition.goal = .targets([ReferenceTarget("tiny", ["params": 10, "madds": 1e5])])
    let error = try #require(throws: StudyError.self) {
      try coordinator.create("a", definition)
    }
    #expect("\(error)".contains("target 'tiny': params=10 is outside of what the space"))
    #expect("\(error)".contains("..."))
    try coordinator.create("a", definition, allowsUnreachableTargets: true)
    var space = try NetworkSpace.named("digits")
    space.constraints.maximumParameters = 10
    let second = try #require(throws: (any Error).self) {
      let empty = try StudyDefinition(
        networks: space, targets: Sample.targets, algorithm: .random, seed: 0,
        evaluation: .command(line: "x"))
      try coordinator.create("b", empty, allowsUnreachableTargets: true)
    }
    #expect("\(second)".contains("no network"))
    #expect("\(second)".contains("'muxnet_digits'"))
    try #expect(coordinator.studies().map(\.name) == ["a"])
  }
}
