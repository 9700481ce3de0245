// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXStudies
import MUXStudyTestSupport
import MUXTestSupport
import Testing

/// Databases that somebody has edited, or that were copied badly.
@Suite("Damaged studies")
struct DamagedStudyTests {
  @Test(
    "A trial that does not fit the space is an error that names it, for readers and workers",
    arguments: [
      ("genome = '[1,2]'", "its genome has 2 genes, not "),
      ("genome = replace(genome, '[', '[99, ')", "genes, not "),
      ("genome = '[9' || substr(genome, 3)", "its gene 'stem' is 9, not one of 0 to 1"),
      ("genome = '[-1' || substr(genome, 3)", "its gene 'stem' is -1"),
      ("genome = 'zebra'", "its genome is not one that this muxnet understands"),
      ("objectives = '[1]'", "it has 1 objectives, not 3"),
      ("objectives = NULL", "it is complete, but has no objectives"),
      ("attempt = 9223372036854775807", "its attempt is 9223372036854775807"),
      ("finish_order = 9223372036854775807", "its place in the order of finishing is"),
      ("subproblem = 7", "it was made for target 7 of 2"),
      ("started = -1e300", "one of its dates is -1e+300 seconds after 1970"),
      ("violation = 9e999", "its violation is inf"),
      ("state = 'odd'", "its state is not one that this muxnet understands"),
      ("key = 'odd'", "its key is not one that this muxnet understands"),
      ("attributes = '{'", "its attributes is not one that this muxnet understands"),
    ])
  func trial(change: String, reason: String) throws {
    let folder = try TemporaryFolder()
    let path = try DamagedStorage.sound(in: folder)
    try DamagedStorage.spoil(
      path, "UPDATE muxnet_trials SET \(change), told = 0 WHERE study = 1 AND number = 3")
    let coordinator = StudyCoordinator(try SQLiteStore(path: path, access: .write))
    let study = try coordinator.study(named: "tr")
    let error = try #require(throws: StudyError.self) { try coordinator.standings(of: study) }
    let line = "\(error)"
    #expect(line.hasPrefix("study 'tr', trial 3 is damaged: "), "\(line)")
    #expect(line.contains(reason), "\(line)")
    #expect(line.hasSuffix("restore a copy of the storage, or delete the study"), "\(line)")
    // A worker that is to go on never gets to work with it.
    try coordinator.setLimits(StudyLimits(trials: 9), of: study)
    #expect(throws: error) { try coordinator.workThrough(study, Sample.worker(2)) }
    // The other study is as it was.
    let other = try coordinator.study(named: "ok")
    try #expect(coordinator.standings(of: other).completed.count == 2)
  }

  @Test(
    "A study whose definition cannot be is an error that names it",
    arguments: [
      ("definition = '{'", "its definition is not one"), ("attributes = 'x'", "its attributes is"),
      ("definition = replace(definition, '\"stemStride\":1', '\"stemStride\":-4')", "stemStride"),
      ("definition = replace(definition, '\"trials\":4', '\"trials\":0')", "'trials'"),
      ("created = 1e300", "its creation time is not a date"),
    ])
  func study(change: String, reason: String) throws {
    let folder = try TemporaryFolder()
    let path = try DamagedStorage.sound(in: folder)
    try DamagedStorage.spoil(path, "UPDATE muxnet_studies SET \(change) WHERE id = 1")
    let coordinator = StudyCoordinator(try SQLiteStore(path: path, access: .write))
    let error = try #require(throws: StudyError.self) { try coordinator.study(named: "tr") }
    #expect("\(error)".hasPrefix("study 'tr' is damaged: "), "\(error)")
    #expect("\(error)".contains(reason), "\(error)")
    let (studies, damage) = try coordinator.survey()
    #expect(studies.map(\.name) == ["ok"])
    #expect(damage == [error])
  }

  @Test("The state of an algorithm that cannot be read names the study")
  func algorithm() throws {
    let folder = try TemporaryFolder()
    let path = try DamagedStorage.sound(in: folder)
    try DamagedStorage.spoil(path, "UPDATE muxnet_states SET state = '{}' WHERE study = 1")
    let coordinator = StudyCoordinator(try SQLiteStore(path: path, access: .write))
    let study = try coordinator.study(named: "tr")
    try coordinator.setLimits(StudyLimits(trials: 9), of: study)
    let error = try #require(throws: StudyError.self) {
      try coordinator.take(study, Sample.worker(2))
    }
    #expect("\(error)".hasPrefix("study 'tr' is damaged: the saved state of 'moead'"), "\(error)")
  }
}
