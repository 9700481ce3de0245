// SPDX-License-Identifier: Apache-2.0
import MUXRuntime

/// What is wrong with a command line.
struct UsageError: Error {
  let reason: String
}

/// What the command line says.
struct ServerOptions {
  static let usage = """
    usage: ClassifyServer MODEL [--host 127.0.0.1] [--port 8080] [--engines N] [--threads N]
             [--batch N] [--delay MILLISECONDS] [--waiting N] [--most-bytes N]
      --engines     images computed at a time; as a rule one for each core
      --threads     threads that share an image, or a batch
      --batch       images of several requests that may share a run
      --delay       how long an image may wait for others
      --waiting     requests that may wait; others are answered with 503
      --most-bytes  the largest image file; larger ones are answered with 413
    """

  var model = ""
  var host = "127.0.0.1"
  var port = 8080
  var engines: Int?
  var threads = 1
  var batch = 1
  var delay = Duration.zero
  var waiting = 256
  var mostBytes = 16 << 20

  init(_ arguments: [String]) throws {
    var rest = arguments[...]
    func number(_ name: String, _ range: ClosedRange<Int>) throws -> Int {
      guard let number = rest.popFirst().flatMap({ Int($0) }), range.contains(number) else {
        throw UsageError(
          reason: "\(name) needs a number of \(range.lowerBound) to \(range.upperBound)")
      }
      return number
    }
    while let word = rest.popFirst() {
      switch word {
      case "--host":
        guard let name = rest.popFirst() else { throw UsageError(reason: "--host needs a name") }
        host = name
      case "--port": port = try number(word, 0...65535)
      case "--engines": engines = try number(word, 1...1024)
      case "--threads": threads = try number(word, 1...1024)
      case "--batch": batch = try number(word, 1...1024)
      case "--delay": delay = .milliseconds(try number(word, 0...60_000))
      case "--waiting": waiting = try number(word, 0...1_000_000)
      case "--most-bytes": mostBytes = try number(word, 1...1 << 30)
      default:
        guard !word.hasPrefix("-"), model.isEmpty else {
          throw UsageError(reason: "'\(word)' is no option, and one model is enough")
        }
        model = word
      }
    }
    guard !model.isEmpty else { throw UsageError(reason: "which model?") }
  }
}
