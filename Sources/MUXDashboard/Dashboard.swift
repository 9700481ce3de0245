// SPDX-License-Identifier: Apache-2.0
import Foundation
public import Hummingbird
public import Logging
import MUXStudies

/// A web page on studies, for the machine that it runs on.
public enum Dashboard {
  /// The router of all pages.
  ///
  /// - Parameters:
  ///   - model: The storage.
  ///   - host: The address that the server listens on. On a loopback address, requests that name
  ///     another host are refused, so that pages of other sites cannot read studies through names
  ///     that they point here (DNS rebinding).
  ///   - context: The type of the contexts of requests, for routers inside other servers.
  public static func router<Context: RequestContext>(
    _ model: DashboardModel, host: String = "127.0.0.1",
    context: Context.Type = BasicRequestContext.self
  ) -> Router<Context> {
    let router = Router(context: context, options: .autoGenerateHeadEndpoints)
    router.add(middleware: AnswerMiddleware())
    router.add(middleware: HostMiddleware(host: host))
    DashboardRoutes(model: model).add(to: router)
    return router
  }

  /// The server. Port 0 takes a free one; `onRunning` hears which.
  public static func application(
    _ model: DashboardModel, host: String = "127.0.0.1", port: Int = 8080,
    logger: Logger? = nil, onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
  ) -> some ApplicationProtocol {
    var quiet = Logger(label: "dashboard") { _ in SwiftLogNoOpLogHandler() }
    if let logger { quiet = logger }
    return Application(
      router: router(model, host: host),
      configuration: .init(address: .hostname(host, port: port), serverName: nil),
      onServerRunning: { await onRunning($0.localAddress?.port ?? port) }, logger: quiet)
  }

  /// Whether an address can be reached from this machine only.
  public static func isLoopback(_ host: String) -> Bool {
    let name = host.lowercased()
    let bytes = name.split(separator: ".", omittingEmptySubsequences: false)
    return name == "localhost" || name == "::1" || name == "[::1]"
      || (bytes.count == 4 && bytes[0] == "127" && bytes.allSatisfy { UInt8($0) != nil })
  }
}

/// Refuses requests that were meant for another host.
struct HostMiddleware<Context: RequestContext>: RouterMiddleware {
  let host: String

  func handle(
    _ request: Request, context: Context,
    next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    // Who listens on all addresses wants to be reached by any name.
    guard Dashboard.isLoopback(host) else { return try await next(request, context) }
    guard let authority = request.head.authority, !authority.isEmpty else {
      throw HTTPError(.badRequest, message: "the request names no host")
    }
    let name = Self.name(authority)
    guard Dashboard.isLoopback(name) || name.lowercased() == host.lowercased() else {
      throw HTTPError(.misdirectedRequest, message: "this is not the host of that name")
    }
    return try await next(request, context)
  }

  /// A host without its port.
  static func name(_ authority: String) -> String {
    if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
      return String(authority[authority.index(after: authority.startIndex)..<end])
    }
    return String(authority.prefix { $0 != ":" })
  }
}

/// Gives every answer its headers, and makes answers of errors.
struct AnswerMiddleware<Context: RequestContext>: RouterMiddleware {
  private static var policy: String {
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; "
      + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
  }

  func handle(
    _ request: Request, context: Context,
    next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    var response: Response
    do {
      response = try await next(request, context)
    } catch {
      let (status, line) = Self.answer(error)
      response = Response(
        status: status, headers: [.contentType: "text/plain; charset=utf-8"],
        body: .init(byteBuffer: ByteBuffer(string: line + "\n")))
    }
    response.headers[.contentSecurityPolicy] = Self.policy
    response.headers[.xContentTypeOptions] = "nosniff"
    response.headers[.cacheControl] = "no-store"
    return response
  }

  private static func answer(_ error: any Error) -> (HTTPResponse.Status, String) {
    switch error {
    case let error as HTTPError:
      (error.status, error.body ?? error.status.reasonPhrase.lowercased())
    case let error as StudyError:
      switch error {
      case .unknownStudy, .unknownTrial: (.notFound, "\(error)")
      case .unreachable, .noStorage: (.serviceUnavailable, "\(error)")
      default: (.internalServerError, "\(error)")
      }
    default: (.internalServerError, "\(error)")
    }
  }
}
