// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import MUXImages
import MUXRuntime
import MUXTasks
import MUXVision

/// What is answered to which path.
struct ServerRoutes: Sendable {
  let pool: EnginePool
  let mostBytes: Int
  private let metrics = ServerMetrics()

  init(pool: EnginePool, mostBytes: Int) {
    self.pool = pool
    self.mostBytes = mostBytes
  }

  func router() -> Router<BasicRequestContext> {
    let router = Router()
    router.get("/health") { _, _ in text("ok\n") }
    router.get("/metrics") { _, _ in text(metrics.text(pool.counts)) }
    router.post("/classify") { request, _ in
      await answer(request) { upload in
        let top = request.uri.queryParameters.get("top", as: Int.self) ?? 5
        // Decoded on a thread of the pool, when it is this request's turn.
        return Classes(
          guesses: try await pool.classify(top: top) { try Image(data: upload, name: "the body") })
      }
    }
    router.post("/detect") { request, _ in
      await answer(request) { upload in
        let threshold = request.uri.queryParameters.get("threshold", as: Double.self)
        return try await pool.detect(settings: DecodingSettings(threshold: threshold)) {
          try Image(data: upload, name: "the body")
        }
      }
    }
    return router
  }

  /// Reads an image file from a request and answers with JSON, also where something is wrong.
  private func answer<Answer: Encodable>(
    _ request: Request, _ body: ([UInt8]) async throws -> Answer
  ) async -> Response {
    let start = ContinuousClock.now
    let (status, content): (HTTPResponse.Status, Data)
    do {
      let buffer: ByteBuffer
      do { buffer = try await request.body.collect(upTo: mostBytes) } catch {
        throw BodyError(reason: "the body cannot be read, or has more than \(mostBytes) bytes")
      }
      let answer = try await body([UInt8](buffer.readableBytesView))
      (status, content) = (.ok, try Self.json(answer))
    } catch {
      status = Self.status(of: error)
      content =
        (try? Self.json(["error": "\(error)"])) ?? Data(#"{"error":"unknown"}"#.utf8)
    }
    metrics.add(status.code, ContinuousClock.now - start)
    var response = Response(
      status: status, headers: [.contentType: "application/json"],
      body: .init(byteBuffer: ByteBuffer(bytes: content + Data("\n".utf8))))
    if status == .serviceUnavailable { response.headers[.retryAfter] = "1" }
    return response
  }

  /// With its keys in order: they come in any otherwise, and no cache would know two equal answers.
  private static func json(_ answer: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(answer)
  }

  private struct Classes: Encodable { var guesses: [Prediction.Guess] }

  private struct BodyError: Error, CustomStringConvertible {
    var reason: String
    var description: String { reason }
  }

  /// Whose fault an error is.
  private static func status(of error: any Error) -> HTTPResponse.Status {
    switch error {
    case is BodyError: .contentTooLarge
    case is ImageError: .badRequest
    case let error as RuntimeError:
      switch error {
      case .poolFull, .poolShutDown: .serviceUnavailable
      case .preparation, .guessCount: .badRequest
      case .notClassifier, .otherTask, .notDetector: .notFound
      default: .internalServerError
      }
    default: .internalServerError
    }
  }

  private func text(_ text: String) -> Response {
    Response(
      status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
      body: .init(byteBuffer: ByteBuffer(string: text)))
  }
}
