// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import MUXStudies
import MUXStudyTestSupport
import MUXTestSupport
import Testing

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

@Suite("Storages that cannot be used", .tags(.processes), .endsSometime)
struct BadStorageTests {
  private func error(_ body: () throws -> Void) throws -> String {
    let error = try #require(throws: StudyError.self) { try body() }
    #expect(!"\(error)".contains("\n"))
    return "\(error)"
  }

  @Test("Addresses are read as Optuna writes them, and shown without passwords")
  func addresses() throws {
    try #expect(StorageURL("sqlite:///a/b.db").kind == .sqlite(path: "a/b.db"))
    try #expect(StorageURL("sqlite:////a/b.db").kind == .sqlite(path: "/a/b.db"))
    try #expect(StorageURL("b.sqlite3").kind == .sqlite(path: "b.sqlite3"))
    try #expect(StorageURL("memory:").kind == .memory)
    let url = try StorageURL("postgresql+psycopg2://me:se@cret@host:5/db?password=x&a=b")
    #expect(url.description == "postgresql://me:***@host:5/db")
    try #expect(StorageURL(url.textWithSecrets).textWithSecrets == url.textWithSecrets)
  }

  @Test(
    "Other addresses are refused",
    arguments: [
      "", "mysql://a@b/c", "sqlite://a.db", "sqlite:///", "postgresql://", "studies.txt", "/tmp",
    ])
  func wrongAddresses(text: String) throws {
    let line = try error { _ = try StorageURL(text) }
    #expect(line.contains("sqlite:///") || line.contains("postgresql://USER"))
  }

  @Test("A file that is no database, or half of one, is called damaged", arguments: [false, true])
  func corrupt(isTruncated: Bool) throws {
    let folder = try TemporaryFolder()
    let path = folder("a.db")
    if isTruncated {
      let coordinator = StudyCoordinator(try SQLiteStore(path: path, access: .create))
      let study = try coordinator.create("a", try Sample.definition())
      try coordinator.workThrough(study, Sample.worker(1))
    }
    var data =
      isTruncated
      ? try Data(contentsOf: URL(fileURLWithPath: path))
      : Data("this is a text and not a database, as anyone can see. ".utf8)
    if isTruncated {
      for name in ["a.db-wal", "a.db-shm"] {
        try? FileManager.default.removeItem(atPath: folder(name))
      }
      data = data.prefix(data.count / 2)
      for index in 200..<min(data.count, 4000) { data[index] = 0xa5 }
    } else {
      while data.count < 5000 { data += data }
    }
    try data.write(to: URL(fileURLWithPath: path))
    for access in [StorageAccess.create, .write, .read] {
      let line = try error {
        _ = try SQLiteStore(path: path, access: access).read { try $0.studies() }
      }
      #expect(line.contains("is damaged or no database"), "\(line)")
      #expect(line.contains("restore a copy"))
    }
    try #expect(Data(contentsOf: URL(fileURLWithPath: path)) == data, "the file was changed")
  }

  @Test("A storage is made by the first transaction that writes", arguments: StoreKind.shared)
  func unmade(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let url = try kind.url(in: folder)
    let coordinator = StudyCoordinator(try StudyStorage.open(url, for: .create))
    var refused = try Sample.definition()
    refused.limits.trials = -1
    #expect(throws: (any Error).self) { try coordinator.create("a", refused) }
    try #expect(coordinator.studies().isEmpty)
    #expect(throws: StudyError.self) { try StudyStorage.open(url, for: .write) }
    try #expect(FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    let study = try coordinator.create("a", try Sample.definition())
    try #expect(coordinator.studies().map(\.name) == [study.name])
    try #expect(
      StudyStorage.open(url, for: .read).read { try $0.studyEntries() }.map(\.name) == ["a"])
  }

  @Test("A file in a folder that may not be written is read as it stands, or its log is named")
  func readOnlyFolder() async throws {
    let folder = try TemporaryFolder()
    let path = folder("a b?.db")
    _ = try StudyCoordinator(try SQLiteStore(path: path, access: .create))
      .create("a", try Sample.definition())
    try #require(chmod(path, 0o444) == 0 && chmod(folder.path, 0o555) == 0)
    defer { chmod(folder.path, 0o755) }
    // The superuser may write everywhere.
    await #expect(processExitsWith: .exitCode(7)) { [path = path as String] in
      if getuid() == 0 { _ = setuid(65534) }
      let names = try SQLiteStore(path: path, access: .read).read { try $0.studyEntries() }
      exit(names.map(\.name) == ["a"] ? 7 : 8)
    }
    try #require(chmod(folder.path, 0o755) == 0)
    try Data([1]).write(to: URL(filePath: "\(path)-wal"))
    try #require(chmod(folder.path, 0o555) == 0)
    await #expect(processExitsWith: .exitCode(7)) { [path = path as String] in
      if getuid() == 0 { _ = setuid(65534) }
      do { _ = try SQLiteStore(path: path, access: .read) } catch let error as StudyError {
        exit("\(error)".contains("\(path)-wal") && !error.isTransient ? 7 : 8)
      }
    }
  }

  @Test("A newer version is refused, and nothing is changed")
  func newer() throws {
    let folder = try TemporaryFolder()
    let path = folder("a.db")
    _ = try SQLiteStore(path: path, access: .create)
    try DatabaseQueue(path: path).write {
      try $0.execute(sql: "UPDATE muxnet_schema SET version = 99")
    }
    for access in [StorageAccess.create, .write, .read] {
      let line = try error { _ = try SQLiteStore(path: path, access: access) }
      #expect(
        line.contains("has version 99, but this muxnet knows versions up to 3; update muxnet"))
    }
  }

  @Test(
    "A version that cannot be is damage, also for commands that write",
    arguments: [
      "UPDATE muxnet_schema SET version = -1", "UPDATE muxnet_schema SET version = 0",
      "UPDATE muxnet_schema SET version = -9223372036854775808",
      "UPDATE muxnet_schema SET version = '3 or so'", "UPDATE muxnet_schema SET version = 2.5",
      "UPDATE muxnet_schema SET version = x'03'", "UPDATE muxnet_schema SET version = 1e300",
      "DELETE FROM muxnet_schema", "INSERT INTO muxnet_schema (version) VALUES (3)",
    ])
  func absurdVersion(statement: String) throws {
    let folder = try TemporaryFolder()
    let path = folder("a.db")
    let open = try SQLiteStore(path: path, access: .create)
    try DatabaseQueue(path: path).write { try $0.execute(sql: statement) }
    for access in [StorageAccess.create, .write, .read] {
      let line = try error { _ = try SQLiteStore(path: path, access: access) }
      #expect(line.contains("version"), "\(line)")
    }
    // Also where it became so while a program was at work.
    let line = try error { _ = try open.write { try $0.studies() } }
    #expect(line.contains("version"), "\(line)")
    try DatabaseQueue(path: path).read {
      try #expect(String.fetchAll($0, sql: "SELECT name FROM sqlite_master").count > 4)
    }
  }

  @Test(
    "The largest version is a newer one, the first an older one, for all that was opened before")
  func versionChanges() throws {
    let folder = try TemporaryFolder()
    let path = folder("a.db")
    let store = try SQLiteStore(path: path, access: .create)
    for (version, text) in [("9223372036854775807", "knows versions up to 3"), ("1", "needs 3")] {
      try DatabaseQueue(path: path).write {
        try $0.execute(sql: "UPDATE muxnet_schema SET version = \(version)")
      }
      let line = try error { _ = try store.read { try $0.studies() } }
      #expect(line.contains("has version \(version)") && line.contains(text), "\(line)")
    }
  }

  @Test(
    "A storage that another program raises in mid-search is not touched any more",
    arguments: StoreKind.shared)
  func raisedMeanwhile(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let url = try kind.url(in: folder)
    let coordinator = StudyCoordinator(try StudyStorage.open(url, for: .create))
    let study = try coordinator.create("a", try Sample.definition(trials: 3))
    let lease = try coordinator.take(study, Sample.worker(1))
    if kind == .sqlite {
      try DatabaseQueue(path: folder("studies.db")).write {
        try $0.execute(sql: "UPDATE muxnet_schema SET version = 99")
      }
    } else {
      try PostgresServer.shared.get().execute("UPDATE muxnet_schema SET version = 99", in: url)
    }
    for body in [
      { try coordinator.finish(lease, .complete(objectives: [1, 2, 3])) },
      { try coordinator.renew(lease) },
      { _ = try coordinator.next(of: study, for: Sample.worker(2)) },
      { _ = try coordinator.studies() },
    ] {
      #expect(try error(body).contains("has version 99"))
    }
  }

  @Test("A file that is moved away or replaced is not written to behind its name")
  func movedAway() throws {
    let folder = try TemporaryFolder()
    let coordinator = StudyCoordinator(try SQLiteStore(path: folder("a.db"), access: .create))
    let study = try coordinator.create("a", try Sample.definition(trials: 3))
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
      try FileManager.default.moveItem(
        atPath: folder(name), toPath: folder(name.replacing("a.db", with: "b.db")))
    }
    let gone = try error { _ = try coordinator.take(study, Sample.worker(1)) }
    #expect(gone.contains("was moved, removed or replaced"), "\(gone)")
    _ = try SQLiteStore(path: folder("a.db"), access: .create)
    let replaced = try error { _ = try coordinator.studies() }
    #expect(replaced.contains("was moved, removed or replaced"), "\(replaced)")
  }

  @Test("A file that may not be written is no reason to wait")
  func readOnly() throws {
    guard getuid() != 0 else { return }  // nothing is read-only for root
    let folder = try TemporaryFolder()
    let path = folder("a.db")
    _ = try SQLiteStore(path: path, access: .create)
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
      chmod(folder(name), 0o400)
    }
    let found = try #require(throws: StudyError.self) {
      try StudyCoordinator(
        try SQLiteStore(path: path, access: .write), retry: RetryPolicy(patience: 1e9)
      ).create("a", try Sample.definition())
    }
    #expect("\(found)".contains("may not be written"))
    #expect(!found.isTransient)
  }

  @Test("An older version is brought up to date with all that is in it; reading alone does not")
  func older() throws {
    let folder = try TemporaryFolder()
    let path = folder("a.db")
    do {
      let coordinator = StudyCoordinator(try SQLiteStore(path: path, access: .create))
      let study = try coordinator.create("a", try Sample.definition(trials: 3))
      try coordinator.workThrough(study, Sample.worker(1))
    }
    try DatabaseQueue(path: path).write { database in
      for statement in OldStorage.statements(to: 1) { try database.execute(sql: statement) }
    }
    let line = try error { _ = try SQLiteStore(path: path, access: .read) }
    #expect(line.contains("has version 1, but this muxnet needs 3"))
    let store = try SQLiteStore(path: path, access: .write)
    let study = try StudyCoordinator(store).study(named: "a")
    try #expect(store.read { try $0.counts(of: study.id) } == [.complete: 3])
    try store.write {
      try $0.insert(TrialReport(trial: 0, resource: 1, objectives: [1]), into: study.id)
    }
    _ = try SQLiteStore(path: path, access: .read)
  }

  @Test(
    "PostgreSQL: versions as in SQLite",
    .enabled(
      if: PostgresServer.isAvailable, "PostgreSQL is not installed")
  )
  func postgresVersions() throws {
    let url = try PostgresServer.shared.get().newDatabase()
    let missing = try error { _ = try StudyStorage.open(url, for: .write) }
    #expect(missing.contains("the database has no tables of muxnet"))
    do {
      let coordinator = StudyCoordinator(try StudyStorage.open(url, for: .create))
      let study = try coordinator.create("a", try Sample.definition(trials: 3))
      try coordinator.workThrough(study, Sample.worker(1))
    }
    for statement in OldStorage.statements(to: 1) {
      try PostgresServer.shared.get().execute(statement, in: url)
    }
    let line = try error { _ = try StudyStorage.open(url, for: .read) }
    #expect(line.contains("has version 1, but this muxnet needs 3"))
    let store = try StudyStorage.open(url, for: .write)
    let study = try StudyCoordinator(store).study(named: "a")
    try #expect(store.read { try $0.counts(of: study.id) } == [.complete: 3])
    try PostgresServer.shared.get().execute("UPDATE muxnet_schema SET version = 99", in: url)
    let newer = try error { _ = try StudyStorage.open(url, for: .create) }
    #expect(newer.contains("has version 99, but this muxnet knows versions up to 3"))
  }

  @Test("A file that is not there, without our tables, or in a place that cannot be")
  func missing() throws {
    let folder = try TemporaryFolder()
    let absent = try error { _ = try SQLiteStore(path: folder("none.db"), access: .write) }
    #expect(absent.contains("there is no such file; creating a study makes it"))
    try #expect(FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    try DatabaseQueue(path: folder("other.db")).write {
      try $0.execute(sql: "CREATE TABLE studies (a)")
    }
    let other = try error { _ = try SQLiteStore(path: folder("other.db"), access: .read) }
    #expect(other.contains("the file has no tables of muxnet"))
    _ = try SQLiteStore(path: folder("deep/er/a.db"), access: .create)
    try Data("x".utf8).write(to: URL(fileURLWithPath: folder("file")))
    let blocked = try error { _ = try SQLiteStore(path: folder("file/a.db"), access: .create) }
    let isFolder = try error { _ = try SQLiteStore(path: folder("deep"), access: .create) }
    #expect(isFolder.contains("that is a folder; name a file in it"))
    #expect(blocked.contains("cannot be made: a file is in its place"), "\(blocked)")
    // Who may do everything is refused nothing.
    if geteuid() != 0 {
      try #require(chmod(folder("deep"), 0o500) == 0)
      let refused = try error { _ = try SQLiteStore(path: folder("deep/a.db"), access: .create) }
      #expect(refused.contains("Permission denied"), "\(refused)")
      try #require(chmod(folder("deep"), 0o700) == 0)
    }
  }

  @Test("A full database says so, keeps what it has, and goes on when there is room")
  func full() throws {
    let folder = try TemporaryFolder()
    let path = folder("a.db")
    let study: Study
    var count = 0
    do {
      let coordinator = StudyCoordinator(
        try SQLiteStore(path: path, access: .create, maximumPages: 40))
      study = try coordinator.create("a", try Sample.definition(trials: 2000))
      let line = try error {
        while true {
          let lease = try coordinator.take(study, Sample.worker(1))
          let values = try Sample.objectives(lease.trial, study.definition)
          try coordinator.finish(lease, .complete(objectives: values))
          count += 1
        }
      }
      #expect(line.contains("the disk is full; free some space"))
      #expect(count > 10)
    }
    let coordinator = StudyCoordinator(try SQLiteStore(path: path, access: .write))
    try #expect(coordinator.trials(study).count { $0.state == .complete } == count)
    let lease = try coordinator.take(study, Sample.worker(1))
    try coordinator.finish(lease, .complete(objectives: [1, 2, 3]))
    try #expect(coordinator.trials(study).count { $0.state == .complete } == count + 1)
  }

  @Test("A file that another process keeps locked is unreachable, not damaged")
  func locked() throws {
    let folder = try TemporaryFolder()
    let path = folder("a.db")
    let first = try SQLiteStore(path: path, access: .create)
    let second = try SQLiteStore(path: path, access: .write, busyTimeout: 0.1)
    let line = try error {
      try first.write { _ in try second.write { _ in } }
    }
    #expect(line.contains("another process has kept it locked for too long"))
  }

  @Test("A server that does not answer is named, without the password")
  func noServer() throws {
    let line = try error {
      _ = try StudyStorage.open(
        try StorageURL("postgresql://me:secret@127.0.0.1:1/studies"), for: .write)
    }
    #expect(
      line.hasPrefix("cannot reach the storage postgresql://me:***@127.0.0.1:1/studies: "),
      "\(line)")
    #expect(!line.contains("secret"))
  }

  @Test("Without libpq, or with another library in its place, that is said")
  func noLibrary() throws {
    let absent = try #require(PostgresLibrary.absence(of: ["libno-such-client.so"]))
    #expect(absent.contains("libno-such-client.so"))
    #expect(absent.contains("or use sqlite:///FILE"))
    #if canImport(Glibc)
      let other = try #require(PostgresLibrary.absence(of: ["libm.so.6"]))
      #expect(other.hasSuffix("the library has no PQconnectdbParams"))
    #endif
    #expect(PostgresLibrary.absence(of: []) != nil)
  }

  @Test("Patience outlasts a storage that is away for a while")
  func patience() throws {
    let folder = try TemporaryFolder()
    let path = folder("a.db")
    let first = try SQLiteStore(path: path, access: .create)
    let study = try StudyCoordinator(first).create("a", try Sample.definition())
    let second = try SQLiteStore(path: path, access: .write, busyTimeout: 0.05)
    let patient = StudyCoordinator(second, retry: RetryPolicy(patience: 60))
    let (holds, isDone) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    Thread {
      try? first.write { _ in
        holds.signal()
        // Longer than the storage itself waits.
        Thread.sleep(forTimeInterval: 0.5)
      }
      isDone.signal()
    }.start()
    holds.wait()
    try #expect(patient.take(study, Sample.worker(1)).trial.number == 0)
    isDone.wait()
  }
}
