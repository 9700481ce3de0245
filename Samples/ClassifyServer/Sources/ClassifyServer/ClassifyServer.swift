// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import Logging
import MUXRuntime

/// `ClassifyServer MODEL [--port 8080] …` answers what is in the images that are posted to it.
///
///     curl --data-binary @photo.jpg http://127.0.0.1:8080/classify
///
/// It ends on SIGINT or SIGTERM, after the requests that it has.
@main
enum ClassifyServer {
  static func main() async {
    do {
      let options = try ServerOptions(Array(CommandLine.arguments.dropFirst()))
      // Copied, so that who writes over the file cannot harm a server that runs.
      let plan = try InferencePlan(model: options.model, loading: .copied)
      let pool = try EnginePool(
        plan, size: options.engines, threadsPerEngine: options.threads,
        batching: .init(images: options.batch, delay: options.delay), waitingLimit: options.waiting)
      let routes = ServerRoutes(pool: pool, mostBytes: options.mostBytes)
      var logger = Logger(label: "ClassifyServer")
      logger.logLevel = .warning
      let application = Application(
        router: routes.router(),
        configuration: .init(
          address: .hostname(options.host, port: options.port), serverName: nil),
        onServerRunning: {
          let port = $0.localAddress?.port ?? options.port
          FileHandle.standardOutput.write(Data("ready at http://\(options.host):\(port)/\n".utf8))
        }, logger: logger)
      // Returns when a signal has come and the last request is answered.
      try await application.runService()
      await pool.shutDown()
    } catch let error as UsageError {
      fail("\(error.reason)\n\(ServerOptions.usage)", code: 64)
    } catch {
      fail("error: \(error)", code: 1)
    }
  }

  private static func fail(_ message: String, code: Int32) -> Never {
    FileHandle.standardError.write(Data((message + "\n").utf8))
    exit(code)
  }
}
