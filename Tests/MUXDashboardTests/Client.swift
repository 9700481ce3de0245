// SPDX-License-Identifier: Apache-2.0
import Hummingbird
import Logging
import MUXDashboard
import MUXStudies
import Synchronization

/// Sends requests to the dashboard's router. Hummingbird's own test client would bring an HTTP client
/// with TLS into the build; sockets are tested on the program (`DashboardCommandTests`).
struct Client {
  /// What came back.
  struct Answer {
    var status: HTTPResponse.Status
    var headers: HTTPFields
    var body: String
  }

  private struct PlainSource: RequestContextSource {
    let logger: Logger
  }

  private struct Context: RequestContext {
    typealias Source = PlainSource

    var coreContext: CoreRequestContextStorage

    init(source: PlainSource) { coreContext = .init(source: source) }
  }

  private final class Sink: Sendable {
    let bytes = Mutex<[UInt8]>([])
  }

  private struct Writer: ResponseBodyWriter {
    let sink: Sink

    mutating func write(_ buffer: ByteBuffer) async throws {
      sink.bytes.withLock { $0.append(contentsOf: buffer.readableBytesView) }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
  }

  private let responder: RouterResponder<Context>

  init(_ store: any StudyStore, host: String = "127.0.0.1") {
    self.init(DashboardModel(store), host: host)
  }

  init(_ model: DashboardModel, host: String = "127.0.0.1", trusting trusted: [String] = []) {
    responder = Dashboard.router(model, host: host, trusting: trusted, context: Context.self)
      .buildResponder()
  }

  func get(
    _ path: String, method: HTTPRequest.Method = .get, authority: String? = "localhost"
  ) async throws -> Answer {
    let request = Request(
      head: HTTPRequest(method: method, scheme: "http", authority: authority, path: path),
      body: RequestBody(buffer: ByteBuffer()))
    let response = try await responder.respond(
      to: request, context: Context(source: PlainSource(logger: Logger(label: "test"))))
    let sink = Sink()
    try await response.body.write(Writer(sink: sink))
    return Answer(
      status: response.status, headers: response.headers,
      body: String(decoding: sink.bytes.withLock { $0 }, as: UTF8.self))
  }
}
