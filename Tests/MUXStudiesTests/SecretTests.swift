// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXStudies
import MUXTestSupport
import Testing

/// A password is planted into every spelling of an address that people write, right or wrong, and
/// looked for in everything that comes out.
@Suite("Passwords of storages reach nobody", .tags(.processes), .endsSometime, .onWaitingThreads)
struct SecretTests {
  static let secret = "hunter2PLANTED"

  /// Nobody listens on port 1.
  static let spellings = [
    "postgresql://u:SECRET@127.0.0.1:1/d", "postgres://u:SECRET@127.0.0.1:1/d",
    "PostgreSQL://u:SECRET@127.0.0.1:1/d", "postgresql+psycopg2://u:SECRET@127.0.0.1:1/d",
    "postgresql://:SECRET@127.0.0.1:1/d", "postgresql://u:SECRET@127.0.0.1:1",
    "postgresql://u:p@SECRET@127.0.0.1:1/d", "postgresql://u:SECRET@ss@127.0.0.1:1/d",
    "postgresql://u:p?SECRET@127.0.0.1:1/d", "postgresql://u:p/SECRET@127.0.0.1:1/d",
    "postgresql://u:p#SECRET@127.0.0.1:1/d", "postgresql://u:p%25SECRET@127.0.0.1:1/d",
    "postgresql://u:p%SECRET@127.0.0.1:1/d", "postgresql://u:p:SECRET@127.0.0.1:1/d",
    "postgresql://u:SECRET@[::1]:1/d", "postgresql://u:SECRET@[::1/d",
    "postgresql://u:SECRET@127.0.0.1:1,127.0.0.1:2/d", "postgresql://u:SECRET@%2Ftmp%2Fnone/d",
    "postgresql://u@127.0.0.1:1/d?password=SECRET",
    "postgresql://u@127.0.0.1:1/d?sslpassword=SECRET",
    "postgresql://u@127.0.0.1:1/d?pass%77ord=SECRET",
    "postgresql://u@127.0.0.1:1/d?sslmode=disable&PASSWORD=SECRET",
    "postgresql://u@127.0.0.1:1/d?sslmode=SECRET",
    "postgresql://u@127.0.0.1:1/d?connect_timeout=SECRET",
    "postgresql://u@127.0.0.1:1/d?SECRET", "postgresql://u@127.0.0.1:1/d?SECRET=1",
    "postgresql://127.0.0.1:1/d?user=u&password=SECRET&options=-cx%3DSECRET",
    "postgresql://u:SECRET@127.0.0.1:SECRET/d", "postgresql://127.0.0.1:1/d?user=u@SECRET",
    "postgresql:/u:SECRET@127.0.0.1/d", "postgresql:u:SECRET@127.0.0.1/d",
    "postgresql:u:SECRET@127.0.0.1/d.db", "u:SECRET@127.0.0.1/d", "u:SECRET@127.0.0.1/d.db",
    "host=127.0.0.1 port=1 password=SECRET", "host=127.0.0.1 password=SECRET dbname=d.db",
    "host=127.0.0.1 password = 'SECRET'", "mysql://u:SECRET@127.0.0.1/d",
    "redis://:SECRET@127.0.0.1", "sqlite://u:SECRET@127.0.0.1/d", "sqlite:///d.db?password=SECRET",
    "https://u:SECRET@127.0.0.1/d", " postgresql://u:SECRET@127.0.0.1:1/d",
    "postgresql//u:SECRET@127.0.0.1/d", "sqlite:u:SECRET@127.0.0.1/d", "d.db?password=SECRET",
    "SECRET@127.0.0.1/d.db?x=1", "~/d.db?password=SECRET", "postgre://u:SECRET@127.0.0.1/d",
  ].map { $0.replacing("SECRET", with: secret) }

  @Test("No text of an address has it, nor has an error", arguments: spellings)
  func texts(spelling: String) throws {
    var shown = [StorageURL.shown(spelling)]
    do {
      let url = try StorageURL(spelling)
      shown += ["\(url)", url.description, url.debugDescription, String(reflecting: url)]
      shown += ["\(url.kind)", String(reflecting: url.kind), "\(Optional(url) as Any)", "\([url])"]
      var dumped = ""
      dump(url, to: &dumped)
      shown.append(dumped)
      shown.append(String(decoding: try JSONEncoder().encode([url]), as: UTF8.self))
      #expect(url.textWithSecrets.contains(Self.secret), "it is not lost either")
      do {
        _ = try StudyStorage.open(url, for: .read)
        Issue.record("\(url) was opened")
      } catch {
        shown += ["\(error)", String(reflecting: error), error.localizedDescription]
      }
    } catch let error as StudyError {
      shown += ["\(error)", String(reflecting: error), error.localizedDescription]
    }
    for text in shown { #expect(!text.contains(Self.secret), "\(text)") }
  }

  @Test("What is read is what was meant")
  func parts() throws {
    func text(_ url: String) throws -> String { "\(try StorageURL(url))" }
    try #expect(text("postgresql://me@h/d") == "postgresql://me@h/d")
    try #expect(text("postgresql://h") == "postgresql://h")
    try #expect(text("postgresql:///d") == "postgresql:///d")
    try #expect(
      text("postgresql://me:x@a:1,[::1]:2,c/d?sslmode=require&connect_timeout=3&options=y")
        == "postgresql://me:***@a:1,[::1]:2,c/d?sslmode=require&connect_timeout=3")
    try #expect(text("postgresql://%2Fvar%2Frun/d") == "postgresql://%2Fvar%2Frun/d")
    try #expect(text("postgresql://h/my%20db") == "postgresql://h/***")
    let asked = try StorageURL("postgresql://me@h:5/d?sslmode=require").withPassword("a b@c/d")
    #expect("\(asked)" == "postgresql://me:***@h:5/d?sslmode=require")
    let again = try StorageURL(asked.textWithSecrets)
    #expect(again.textWithSecrets == asked.textWithSecrets)
    #expect(throws: StudyError.self) { try StorageURL("a.db").withPassword("x") }
  }

  @Test("Commands show it nowhere, whichever way they get the address")
  func commands() throws {
    let folder = try TemporaryFolder()
    try folder.write("spellings", Array((Self.spellings.joined(separator: "\n") + "\n").utf8))
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
    #expect(program.errorLines.count >= Self.spellings.count)
    for text in [program.output, program.errors] {
      for line in text.split(separator: "\n") where line.contains(Self.secret) {
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
    let secret = "\(Self.secret)InASearch"
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
