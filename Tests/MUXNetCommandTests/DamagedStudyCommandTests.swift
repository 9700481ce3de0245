// SPDX-License-Identifier: Apache-2.0
import MUXStudyTestSupport
import MUXTestSupport
import Testing

@Suite("muxnet search on a damaged study", .tags(.processes), .endsSometime, .onWaitingThreads)
struct DamagedStudyCommandTests {
  @Test("The commands say it in one line, and the damaged study can be removed")
  func commands() throws {
    let folder = try TemporaryFolder()
    let path = try DamagedStorage.sound(in: folder)
    try DamagedStorage.spoil(
      path, "UPDATE muxnet_trials SET genome = '[1,2]' WHERE study = 1 AND number = 3")
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
    try DamagedStorage.spoil(path, "UPDATE muxnet_studies SET definition = '{' WHERE id = 1")
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
