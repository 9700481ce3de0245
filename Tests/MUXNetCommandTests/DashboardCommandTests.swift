// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTestSupport
import Testing

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

@Suite("muxnet dashboard", .serialized, .tags(.processes), .endsSometime, .onWaitingThreads)
struct DashboardCommandTests {
  private func storage(in folder: TemporaryFolder) throws {
    let made = try Program.run(
      [
        "search", "create", "demo", "--storage", "a.db", "--space", "digits", "--evaluate", "false",
      ],
      in: folder.path)
    #expect(made.code == 0, "\(made.errors)")
  }

  /// Starts the dashboard; gives it with its port once it listens.
  private func start(in folder: TemporaryFolder) throws -> (program: Program, port: UInt16) {
    let program = try Program(
      ["dashboard", "--storage", "a.db", "--port", "0"], in: folder.path)
    #expect(eventually { program.errors.contains("http://127.0.0.1:") || !program.isRunning })
    let match = program.errors.firstMatch(of: /http:\/\/127\.0\.0\.1:(\d+)\//)
    return (program, UInt16(match.map { String($0.1) } ?? "") ?? 0)
  }

  /// A connection on which a request was sent.
  private func connect(_ port: UInt16, _ path: String?, host: String = "localhost") -> Int32 {
    #if canImport(Darwin)
      let stream = SOCK_STREAM
    #else
      let stream = Int32(SOCK_STREAM.rawValue)
    #endif
    let handle = socket(AF_INET, stream, 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let code = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        #if canImport(Darwin)
          Darwin.connect(handle, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        #else
          Glibc.connect(handle, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        #endif
      }
    }
    #expect(code == 0)
    // Nothing may make the test wait for ever.
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(handle, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    guard let path else { return handle }
    let text = "GET \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n"
    _ = text.withCString { send(handle, $0, strlen($0), 0) }
    return handle
  }

  /// Reads until a text is there, or the end; nil where neither comes within 20 seconds.
  private func read(_ handle: Int32, until text: String? = nil) -> String? {
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    let end = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < end {
      let count = recv(handle, &buffer, buffer.count, 0)
      if count < 0 { return nil }
      if count == 0 { return String(decoding: all, as: UTF8.self) }
      all += buffer[0..<count]
      let found = String(decoding: all, as: UTF8.self)
      if let text, found.contains(text) { return found }
    }
    return nil
  }

  @Test("Pages are served to this machine; SIGTERM ends the open streams and the program")
  func lifetime() throws {
    let folder = try TemporaryFolder()
    try storage(in: folder)
    let (program, port) = try start(in: folder)
    try #require(port > 0, "\(program.errors)")
    let page = connect(port, "/")
    #expect(read(page)?.contains("<a href=\"/studies/demo\">demo</a>") == true)
    close(page)
    let foreign = connect(port, "/", host: "evil.example:\(port)")
    #expect(read(foreign)?.hasPrefix("HTTP/1.1 421") == true)
    close(foreign)
    let garbage = connect(port, "/a b c\r\n\u{1}")
    #expect(read(garbage)?.hasPrefix("HTTP/1.1 4") == true)
    close(garbage)
    let stream = connect(port, "/studies/demo/events")
    #expect(read(stream, until: "event: change\ndata: ")?.hasPrefix("HTTP/1.1 200") == true)
    // Something happens: the open page hears of it.
    let changed = try Program.run(
      ["search", "run", "demo", "--storage", "a.db", "--trials", "2", "--workers", "1", "--quiet"],
      in: folder.path)
    #expect(changed.code == 1)  // its evaluation is `false`
    #expect(read(stream, until: "event: change") != nil)
    program.send(SIGTERM)
    #expect(read(stream) != nil, "the stream does not end")
    close(stream)
    #expect(program.code == 0, "\(program.errors)")
  }

  @Test("Connections that say nothing end, so that others are answered at the limit of descriptors")
  func idleConnections() throws {
    let folder = try TemporaryFolder()
    try storage(in: folder)
    let program = try Program(
      shell: "ulimit -n 100; exec \"$MUXNET\" dashboard --storage a.db --port 0 --idle 0.5",
      in: folder.path)
    #expect(eventually { program.errors.contains("http://127.0.0.1:") || !program.isRunning })
    let match = program.errors.firstMatch(of: /http:\/\/127\.0\.0\.1:(\d+)\//)
    let port = try #require(UInt16(match.map { String($0.1) } ?? ""), "\(program.errors)")
    let silent = (0..<60).map { _ in connect(port, nil) }
    let half = connect(port, nil)
    _ = "GET / HTTP/1.1\r\nHost: loc".withCString { send(half, $0, strlen($0), 0) }
    let stream = connect(port, "/events")
    let page = connect(port, "/")
    #expect(read(page)?.hasPrefix("HTTP/1.1 200") == true)
    for handle in silent + [half] { #expect(read(handle) != nil, "it is still open") }
    // A stream of events is no silence.
    #expect(read(stream, until: ": still here") != nil)
    for handle in silent + [half, stream, page] { close(handle) }
    program.send(SIGTERM)
    #expect(program.code == 0, "\(program.errors)")
  }

  @Test("Mistakes are one line")
  func mistakes() throws {
    let folder = try TemporaryFolder()
    let none = try Program.run(
      ["dashboard", "--storage", "none.db", "--port", "0"], in: folder.path)
    #expect(none.code == 1)
    #expect(none.errorLines.count == 1)
    #expect(!FileManager.default.fileExists(atPath: folder("none.db")))
    let port = try Program.run(["dashboard", "--port", "70000"], in: folder.path)
    #expect(port.code == 64)
    try storage(in: folder)
    let (program, taken) = try start(in: folder)
    try #require(taken > 0, "\(program.errors)")
    let second = try Program.run(
      ["dashboard", "--storage", "a.db", "--port", "\(taken)"], in: folder.path)
    #expect(second.code == 1)
    #expect(second.errorLines.count == 1, "\(second.errors)")
    #expect(second.errors.contains("cannot listen on 127.0.0.1:\(taken)"))
    program.send(SIGINT)
    #expect(program.code == 0, "\(program.errors)")
  }
}
