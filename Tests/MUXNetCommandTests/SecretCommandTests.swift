// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXStudies
import MUXStudyTestSupport
import MUXTestSupport
import Testing

/// A planted password is looked for in everything that comes out.
@Suite(
  "Commands show passwords of storages to nobody", .tags(.processes), .endsSometime,
  .onWaitingThreads
)
struct SecretCommandTests {
  @Test("Commands show it nowhere, whichever way they get the address")
  func commands() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      "spellings", Array((PlantedPassword.spellings.joined(separator: "\n") + "\n").utf8))
    let program = try Program.run(
      shell: """
        while IFS= read -r url; do
          "$MUXNET" search list --storage "$url"
          n=$((n + 1))
          test $((n % 6)) = 0 || continue
          "$MUXNET" search list "--storage=$url" --nonsense
          MUXNET_STORAGE="$url" "$MUXNET" environment --json
        done <spellings
        """, in: folder.path)
    #expect(program.output.contains("\"version\""))
    #expect(program.errorLines.count >= PlantedPassword.spellings.count)
    for text in [program.output, program.errors] {
      for line in text.split(separator: "\n") where line.contains(PlantedPassword.secret) {
        Issue.record("\(line)")
      }
    }
  }

  @Test(
    "A search leaves it in no list of processes, environment, log, table, page or export",
    .enabled(
      if: PostgresServer.isAvailable, "PostgreSQL is not installed")
  )
  func wholeSearch() throws {
    let folder = try TemporaryFolder()
    // Not that of the other tests, whose programs may be seen here before they have hidden it.
    let secret = "\(PlantedPassword.secret)InASearch"
    let plain = try PostgresServer.shared.get().newDatabase()
    // The server trusts everybody, so that any password opens it.
    let url = plain.textWithSecrets.replacing("tester@", with: "tester:\(secret)@")
    let line = """
      env >env.$MUXNET_TRIAL; cat /proc/[0-9]*/cmdline >processes.$MUXNET_TRIAL 2>/dev/null
      env >&2; test $MUXNET_TRIAL != 1 && echo '{"error": 4}'
      """
    let program = try Program.run(
      [
        "search", "run", "planted", "--storage", url, "--space", "digits", "--trials", "3",
        "--workers", "1", "--evaluate", line,
      ], in: folder.path)
    #expect(program.code == 0, "\(program.errors)")
    for words in [
      ["list"], ["list", "--json"], ["show", "planted"], ["show", "planted", "--trial", "1"],
      ["export", "planted", "--output", "t.csv"],
      ["export", "planted", "--format", "json", "--output", "t.json"],
      ["report", "planted", "--output", "r.html"],
    ] {
      let program = try Program.run(
        ["search"] + words + ["--storage", url], in: folder.path)
      #expect(program.code == 0, "\(program.errors)")
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.contains("env.0") && names.contains("processes.0") && names.contains("r.html"))
    for name in names {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: folder(name)))
      #expect(bytes.firstRange(of: Data(secret.utf8)) == nil, "\(name)")
    }
    // Who asks for the address gets it.
    let asking = try Program.run(
      shell: """
        "$MUXNET" search run asking --storage '\(url)' --space digits --trials 1 --workers 1 \
          --share-storage --evaluate 'echo "$MUXNET_STORAGE" >got; echo "{\\"error\\": 4}"'
        """, in: folder.path)
    #expect(asking.code == 0, "\(asking.errors)")
    try #expect(String(contentsOfFile: folder("got"), encoding: .utf8).contains(secret))
  }
}
