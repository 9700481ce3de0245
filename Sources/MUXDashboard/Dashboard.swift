// SPDX-License-Identifier: Apache-2.0
import Foundation
public import Hummingbird
import HummingbirdCore
public import Logging
import MUXStudies

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// A web page on studies, for the machine that it runs on.
public enum Dashboard {
  /// The router of all pages.
  ///
  /// - Parameters:
  ///   - model: The storage.
  ///   - host: The address that the server listens on. On a loopback address, requests that name
  ///     another host are refused, so that pages of other sites cannot read studies through names
  ///     that they point here (DNS rebinding).
  ///   - trusted: More names that requests may come by, such as those of a reverse proxy. Where there
  ///     are some, all others are refused on any address.
  ///   - context: The type of the contexts of requests, for routers inside other servers.
  public static func router<Context: RequestContext>(
    _ model: DashboardModel, host: String = "127.0.0.1", trusting trusted: [String] = [],
    context: Context.Type = BasicRequestContext.self
  ) -> Router<Context> {
    let router = Router(context: context, options: .autoGenerateHeadEndpoints)
    router.add(middleware: AnswerMiddleware())
    router.add(middleware: HostMiddleware(host: host, trusted: trusted))
    DashboardRoutes(model: model).add(to: router)
    return router
  }

  /// The most connections at a time; further ones wait until one ends. Some descriptors are left for
  /// the storage.
  package static var mostConnections: Int {
    var limit = rlimit()
    #if canImport(Darwin)
      let resource = RLIMIT_NOFILE
    #else
      let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #endif
    guard getrlimit(resource, &limit) == 0 else { return 64 }
    return Int(max(8, min(512, Int64(clamping: limit.rlim_cur) - 64)))
  }

  /// The server. Port 0 takes a free one; `onRunning` hears which. Connections on which no request is
  /// under way end after `idle` seconds; their number is bounded by that of open files.
  public static func application(
    _ model: DashboardModel, host: String = "127.0.0.1", port: Int = 8080,
    trusting trusted: [String] = [], idle: Double = 15, logger: Logger? = nil,
    onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
  ) -> some ApplicationProtocol {
    var quiet = Logger(label: "dashboard") { _ in SwiftLogNoOpLogHandler() }
    if let logger { quiet = logger }
    return Application(
      router: router(model, host: host, trusting: trusted),
      server: .http1(
        configuration: .init(idleTimeout: .milliseconds(Int64(max(0.01, idle) * 1000)))),
      configuration: .init(
        address: .hostname(host, port: port), serverName: nil,
        availableConnectionsDelegate: MaximumAvailableConnections(mostConnections)),
      onServerRunning: { await onRunning($0.localAddress?.port ?? port) }, logger: quiet)
  }

  /// Whether an address can be reached from this machine only, in any of its spellings.
  package static func isLoopback(_ host: String) -> Bool {
    var name = host.lowercased()
    if name.hasSuffix(".") { name.removeLast() }
    if name.hasPrefix("["), name.hasSuffix("]") { name = String(name.dropFirst().dropLast()) }
    if name == "localhost" { return true }
    var four = in_addr()
    // Takes 127.1 and 0x7f000001 as well.
    if inet_aton(name, &four) == 1 { return UInt32(bigEndian: four.s_addr) >> 24 == 127 }
    var six = in6_addr()
    guard inet_pton(AF_INET6, name, &six) == 1 else { return false }
    let bytes = withUnsafeBytes(of: &six) { Array($0) }
    let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127]
    return bytes == [UInt8](repeating: 0, count: 15) + [1] || bytes.starts(with: mapped)
  }
}

/// Refuses requests that were meant for another host.
struct HostMiddleware<Context: RequestContext>: RouterMiddleware {
  let host: String
  let trusted: [String]

  func handle(
    _ request: Request, context: Context,
    next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    // Who listens on all addresses wants to be reached by any name, unless some are given.
    guard Dashboard.isLoopback(host) || !trusted.isEmpty else {
      return try await next(request, context)
    }
    guard let authority = request.head.authority, !authority.isEmpty else {
      throw HTTPError(.badRequest, message: "the request names no host")
    }
    let name = Self.name(authority)
    guard
      Dashboard.isLoopback(name)
        || (trusted + [host]).contains(where: { $0.lowercased() == name.lowercased() })
    else {
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
      + "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
  }

  private static var isolation: [(HTTPFields.Element.Name, String)] {
    [
      ("Cross-Origin-Opener-Policy", "same-origin"),
      ("Cross-Origin-Resource-Policy", "same-origin"), ("Referrer-Policy", "no-referrer"),
      ("X-Frame-Options", "DENY"),
    ].compactMap { name, value in HTTPFields.Element.Name(name).map { ($0, value) } }
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
    // Other sites can neither embed nor open pages to read from, and do not hear where links came from.
    for (name, value) in Self.isolation { response.headers[name] = value }
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
