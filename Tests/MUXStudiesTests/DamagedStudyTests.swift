// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import MUXStudies
import MUXTestSupport
import Testing

/// Databases that somebody has edited, or that were copied badly.
@Suite("Damaged studies", .tags(.processes), .endsSometime, .onWaitingThreads)
struct DamagedStudyTests {
  /// A storage with the study `tr` of four complete trials and the sound study `ok` of two.
  private func storage(in folder: TemporaryFolder) throws -> String {
    let path = folder("a.db")
    let coordinator = StudyCoordinator(try SQLiteStore(path: path, access: .create))
    for (name, trials) in [("tr", 4), ("ok", 2)] {
      let study = try coordinator.create(name, try Sample.definition(trials: trials))
      try coordinator.workThrough(study, Sample.worker(1))
    }
    return path
  }

  private func spoil(_ path: String, _ sql: String) throws {
    try DatabaseQueue(path: path).write { try $0.execute(sql: sql) }
  }

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
    let path = try storage(in: folder)
    try spoil(path, "UPDATE muxnet_trials SET \(change), told = 0 WHERE study = 1 AND number = 3")
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
    let path = try storage(in: folder)
    try spoil(path, "UPDATE muxnet_studies SET \(change) WHERE id = 1")
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
    let path = try storage(in: folder)
    try spoil(path, "UPDATE muxnet_states SET state = '{}' WHERE study = 1")
    let coordinator = StudyCoordinator(try SQLiteStore(path: path, access: .write))
    let study = try coordinator.study(named: "tr")
    try coordinator.setLimits(StudyLimits(trials: 9), of: study)
    let error = try #require(throws: StudyError.self) {
      try coordinator.take(study, Sample.worker(2))
    }
    #expect("\(error)".hasPrefix("study 'tr' is damaged: the saved state of 'moead'"), "\(error)")
  }

  @Test("The commands say it in one line, and the damaged study can be removed")
  func commands() throws {
    let folder = try TemporaryFolder()
    let path = try storage(in: folder)
    try spoil(path, "UPDATE muxnet_trials SET genome = '[1,2]' WHERE study = 1 AND number = 3")
    let line = "error: study 'tr', trial 3 is damaged: its genome has 2 genes, not "
    for arguments in [
      ["pareto"], ["best"], ["report", "--output", "r.html"], ["export"], ["show"],
      ["show", "--trial", "3"], ["run", "--trials", "9", "--workers", "1"], ["worker"],
    ] {
      let words = ["search", arguments[0], "tr", "--storage", "a.db"] + arguments.dropFirst()
      let program = try Program.run(words, in: folder.path)
      #expect(program.code == 1, "\(arguments): \(program.errors)")
      #expect(program.errorLines.count == 1, "\(arguments): \(program.errors)")
      #expect(program.errors.contains(line), "\(arguments): \(program.errors)")
    }
    let list = try Program.run(["search", "list", "--storage", "a.db"], in: folder.path)
    #expect(list.code == 1)
    #expect(list.output.contains("\nok "))
    #expect(list.errors.hasPrefix(line), "\(list.errors)")
    try spoil(path, "UPDATE muxnet_studies SET definition = '{' WHERE id = 1")
    let again = try Program.run(["search", "list", "--storage", "a.db", "--json"], in: folder.path)
    #expect(again.code == 1)
    #expect(again.output.contains("\"ok\""))
    #expect(again.errors.hasPrefix("error: study 'tr' is damaged: its definition"))
    let deleted = try Program.run(
      ["search", "delete", "tr", "--yes", "--storage", "a.db"], in: folder.path)
    #expect(deleted.output == "removed tr with 4 trials\n", "\(deleted.errors)")
    let well = try Program.run(["search", "list", "--storage", "a.db"], in: folder.path)
    #expect(well.code == 0)
  }
}
