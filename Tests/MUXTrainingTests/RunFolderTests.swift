// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXEvaluation
import MUXTestSupport
import MUXTraining
import Testing

@Suite(.tags(.waits), .endsSometime) struct RunFolderTests {
  @Test("a run never overwrites another unless it is told to")
  func increments() throws {
    let base = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: base) }
    do {
      let first = try RunFolder.begin("a", in: base, overwrites: false)
      let second = try RunFolder.begin("a", in: base, overwrites: false)
      let third = try RunFolder.begin("a", in: base, overwrites: false)
      withExtendedLifetime((first.lock, second.lock)) {
        #expect(first.folder.path == "\(base)/a" && second.folder.path == "\(base)/a-2")
        #expect(third.folder.path == "\(base)/a-3")
      }
      try Data("old".utf8).write(to: URL(filePath: first.folder.summary))
      #expect(throws: RunFolderError.inUse(path: first.folder.path)) {
        try RunFolder.begin("a", in: base, overwrites: true)
      }
    }
    let again = try RunFolder.begin("a", in: base, overwrites: true).folder
    #expect(again.path == "\(base)/a")
    #expect(!FileManager.default.fileExists(atPath: again.summary))
  }

  @Test("a folder that is not a run is not replaced even when told to")
  func foreign() throws {
    let base = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: base) }
    try FileManager.default.createDirectory(
      atPath: "\(base)/photos", withIntermediateDirectories: true)
    try Data("x".utf8).write(to: URL(filePath: "\(base)/photos/holiday.txt"))
    #expect(throws: RunFolderError.notARun(path: "\(base)/photos")) {
      try RunFolder.begin("photos", in: base, overwrites: true)
    }
    #expect(FileManager.default.fileExists(atPath: "\(base)/photos/holiday.txt"))
  }

  @Test("a folder that cannot be made gives one line that names it")
  func unwritable() throws {
    let base = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: base) }
    try Data().write(to: URL(filePath: "\(base)/file"))
    var configuration = TestRun.configuration("\(base)/file/runs")
    configuration.epochs = 1
    let error = #expect(throws: RunFolderError.self) {
      try Trainer(configuration, network: TestRun.network())
    }
    let text = error?.description ?? ""
    #expect(text.contains("\(base)/file") && !text.contains("\n"))
  }

  @Test("a disk that is full in the middle of a run ends it in one line, with nothing torn")
  func full() async throws {
    let base = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: base) }
    await #expect(processExitsWith: .exitCode(7)) { [base = base as String] in
      StopSignal.watch()
      let trainer = try Trainer(TestRun.configuration(base), network: TestRun.network())
      // From now on no file may grow beyond 16 KiB: less than a checkpoint.
      var limit = rlimit(rlim_cur: 16_384, rlim_max: 16_384)
      #if os(Linux)
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      #else
        setrlimit(RLIMIT_FSIZE, &limit)
      #endif
      do {
        try trainer.run()
      } catch let error as RunFolderError {
        let text = error.description
        exit(text.contains("cannot write the run folder") && !text.contains("\n") ? 7 : 8)
      }
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: "\(base)/run/checkpoints")
    #expect(left.isEmpty, "\(left)")
  }

  @Test("what a run leaves that is killed before its first checkpoint is said, and taken over")
  func barren() throws {
    let base = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: base) }
    let configuration = TestRun.configuration(base)
    func start() throws -> Trainer { try Trainer(configuration, network: TestRun.network()) }
    var first: Trainer? = try start()
    let path = try #require(first?.folder.path)
    // As long as the first one lives, the folder is its own.
    #expect(throws: RunFolderError.inUse(path: path)) { try Trainer(resuming: path) }
    #expect(try start().folder.path == "\(path)-2")
    // Let go before it took a step, as by a kill.
    first = nil
    try Data("x".utf8).write(to: URL(filePath: "\(path)/events.out.tfevents.1.host"))
    try FileManager.default.createDirectory(
      atPath: "\(path)/checkpoints/.partial-step-000000001", withIntermediateDirectories: true)
    #expect(throws: RunFolderError.endedEarly(path: path)) { try Trainer(resuming: path) }
    #expect("\(RunFolderError.endedEarly(path: path))".contains("\(path)/configuration.yaml"))
    // Neither what anyone else put there, nor a checkpoint, nor what an epoch came to.
    for file in ["notes.txt", "summary.csv", "checkpoints/step-000000001"] {
      try Data().write(to: URL(filePath: "\(path)/\(file)"))
      #expect(try start().folder.path == "\(path)-2", "\(file)")
      #expect(FileManager.default.fileExists(atPath: "\(path)/\(file)"), "\(file)")
      try FileManager.default.removeItem(atPath: "\(path)/\(file)")
    }
    let trainer = try start()
    #expect(trainer.folder.path == path)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: trainer.folder.checkpoints).isEmpty)
    try trainer.run()
    #expect(try start().folder.path == "\(path)-2", "a run with a checkpoint is kept")
  }

  @Test(
    "what a run leaves that is killed while it makes its folder is taken over, wherever it was",
    arguments: [
      [], ["checkpoints/"], [".lock"],
      [".lock", "checkpoints/", ".configuration.yaml.4711.1.partial"],
      [".lock", "checkpoints/", "configuration.yaml", ".network.json.4711.2.partial"],
    ] as [[String]])
  func unfinished(names: [String]) throws {
    let base = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: base) }
    func make(_ name: String) throws {
      let path = "\(base)/a/\(name)"
      try FileManager.default.createDirectory(
        atPath: name.hasSuffix("/") ? path : "\(base)/a", withIntermediateDirectories: true)
      if !name.hasSuffix("/") { try Data("x".utf8).write(to: URL(filePath: path)) }
    }
    try make("./")
    for name in names { try make(name) }
    let run = try RunFolder.begin("a", in: base, overwrites: false).folder
    #expect(run.path == "\(base)/a")
    let left = try FileManager.default.contentsOfDirectory(atPath: run.path)
    #expect(left.sorted() == [".lock", "checkpoints"])
    try FileManager.default.removeItem(atPath: run.checkpoints)
    // Somebody else's temporary file is somebody's.
    try make(".notes.txt.4711.1.partial")
    #expect(try RunFolder.begin("a", in: base, overwrites: false).folder.path == "\(base)/a-2")
  }

  @Test(
    "a folder with files for a run to come is somebody's own",
    arguments: [
      ["configuration.yaml"], ["network.json"], ["configuration.yaml", "space.yaml"],
      [".lock", "configuration.yaml"], ["checkpoints", "configuration.yaml"],
    ])
  func prepared(names: [String]) throws {
    let base = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: base) }
    try FileManager.default.createDirectory(
      atPath: "\(base)/a", withIntermediateDirectories: true)
    for name in names {
      let path = "\(base)/a/\(name)"
      if name == "checkpoints" {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
      } else {
        try Data("mine".utf8).write(to: URL(filePath: path))
      }
    }
    #expect(try RunFolder.begin("a", in: base, overwrites: false).folder.path == "\(base)/a-2")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: "\(base)/a").sorted() == names.sorted())
  }

  @Test("runs that begin at once never share a folder, where one lies that may be taken over")
  func together() async throws {
    let base = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: base) }
    try FileManager.default.createDirectory(
      atPath: "\(base)/a/checkpoints", withIntermediateDirectories: true)
    let begun = try await withThrowingTaskGroup(of: (RunFolder, RunLock).self) { group in
      for _ in 0..<16 {
        group.addTask { try RunFolder.begin("a", in: base, overwrites: false) }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    withExtendedLifetime(begun) {
      let names = Set(begun.map { $0.0.path })
      #expect(names.count == 16)
      #expect(names.contains("\(base)/a"))
    }
  }

  @Test("the path of anything inside a run leads to the run")
  func inside() throws {
    let base = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: base) }
    let run = try RunFolder.begin("a", in: base, overwrites: false).folder
    #expect(try RunFolder(existing: run.path + "/") == run)
    #expect(try RunFolder(existing: run.checkpoints + "/step-000000001") == run)
    #expect(throws: RunFolderError.self) { try RunFolder(existing: base) }
  }
}
