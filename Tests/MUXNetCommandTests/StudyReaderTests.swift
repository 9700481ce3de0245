// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTestSupport
import Testing

@Suite(
  "Studies read by Python", .serialized, .tags(.processes), .endsSometime, .onWaitingThreads)
struct StudyReaderTests {
  private static let tools = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "tools")

  @Test("Rows have objectives, choices with numbers, attributes and times, of a file or a storage")
  func rows() throws {
    let folder = try TemporaryFolder()
    let run = try SearchStudy.run(
      [
        "run", "demo", "--space", "digits", "--trials", "3", "--workers", "1", "--quiet",
        "--evaluate", "echo \"{\\\"error\\\": $((9 - MUXNET_TRIAL)), \\\"note\\\": \\\"x\\\"}\"",
      ], in: folder)
    #expect(run.code == 0, "\(run.errors)")
    let export = try SearchStudy.run(
      ["export", "demo", "--format", "json", "--output", "t.json"], in: folder)
    #expect(export.code == 0, "\(export.errors)")
    let script = """
      import datetime, sys
      sys.path.insert(0, sys.argv[1])
      from read_study import rows
      table = rows("t.json")
      row = table[2]
      print(len(table), row["number"], row["state"], row["error"], row["attribute.note"])
      print([8, 16, 24][row["index.stage1.width"]] == row["stage1.width"], row["params"] > 1000)
      print(isinstance(row["finished"], datetime.datetime), row["seconds"] >= 0)
      print(rows(study="demo", storage="a.db", program=sys.argv[2]) == table)
      """
    try folder.write("read.py", Array(script.utf8))
    let environment = ["TOOLS": Self.tools.path(percentEncoded: false)]
    let read = try Program.run(
      shell: "python3 read.py \"$TOOLS\" \"$MUXNET\"", in: folder.path, environment: environment)
    #expect(
      read.output == "3 2 complete 7 x\nTrue True\nTrue True\nTrue\n",
      "\(read.output) \(read.errors)")
    let best = try Program.run(
      shell: "python3 \"$TOOLS/read_study.py\" t.json", in: folder.path, environment: environment)
    #expect(best.output.hasPrefix("trial 2: error 7, params "), "\(best.output) \(best.errors)")
  }
}
