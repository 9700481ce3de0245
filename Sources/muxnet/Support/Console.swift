// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import Synchronization

/// Where text goes: results to the standard output, everything else to the standard error.
enum Console {
  /// Whether a result could not be written, on a full disk perhaps.
  private static let hasLostOutput = Atomic(false)

  /// Writes a result. Where that is not possible, the program goes on (there may be a training to save),
  /// says so once, and ends with ``exitCodeOfOutput``. Control characters, which names and messages
  /// bring with them, are shown and not obeyed.
  static func result(_ text: String) {
    result(bytes: Data((PlainText.visible(text) + "\n").utf8))
  }

  /// Writes a picture in colours of the terminal.
  static func picture(_ text: String) { result(bytes: Data((text + "\n").utf8)) }

  /// Writes bytes of a result as they are.
  static func result(bytes: Data) {
    do {
      try FileHandle.standardOutput.write(contentsOf: bytes)
    } catch {
      guard !hasLostOutput.exchange(true, ordering: .relaxed) else { return }
      let system = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
      let reason = system.map { String(cString: strerror(Int32($0.code))) } ?? "it is closed"
      self.error(
        "cannot write to the standard output: \(reason); free space or send it elsewhere")
    }
  }

  /// 0, or 1 if a result was lost.
  static var exitCodeOfOutput: Int32 { hasLostOutput.load(ordering: .relaxed) ? 1 : 0 }

  /// Writes the text of a file for other programs: exactly, but for a terminal.
  static func file(_ text: String) {
    let shown = outputIsTerminal ? PlainText.visible(text.replacing("\r\n", with: "\n")) : text
    result(bytes: Data((shown + "\n").utf8))
  }

  /// Writes a result as JSON with sorted keys.
  static func json(_ value: some Encodable) throws {
    result(bytes: Data((try jsonText(value) + "\n").utf8))
  }

  /// A value as JSON with sorted keys and without control characters. Numbers that are infinite or not
  /// a number, which JSON cannot say, are null.
  static func jsonText(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // The encoder has no way to write null; so it writes a text that is in no result, which is replaced.
    let mark = "not finite \(UUID().uuidString)"
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: mark, negativeInfinity: mark, nan: mark)
    return PlainText.json(
      String(decoding: try encoder.encode(value), as: UTF8.self)
        .replacing("\"\(mark)\"", with: "null"))
  }

  /// Writes a line of progress or a remark.
  static func note(_ text: String) { standardError(PlainText.visible(text) + "\n") }

  /// Writes what was chosen in a file of weights, if there was a choice, and how to choose otherwise.
  static func remark(_ text: String?, path: String) {
    if let text { note("\(path): \(text); --key chooses") }
  }

  /// Writes a warning, on one line.
  static func warning(_ text: String) {
    standardError(styled("warning:", "33") + " \(oneLine(text))\n")
  }

  /// Writes an error, on one line.
  static func error(_ text: String) {
    standardError(styled("error:", "31") + " \(oneLine(text))\n")
  }

  /// Writes bytes to the standard error as they are; remarks that cannot be written are lost.
  static func standardError(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }

  /// Whether the standard error is a terminal.
  static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// The columns of the terminal behind the standard error; 100 without one.
  static var errorWidth: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 100 }
    return Int(size.ws_col)
  }

  /// Whether the standard output is a terminal.
  static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  /// Whether colour is wanted (see no-color.org).
  static var allowsColor: Bool {
    (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
      && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  }

  private static func styled(_ text: String, _ code: String) -> String {
    errorIsTerminal && allowsColor ? "\u{1b}[1;\(code)m\(text)\u{1b}[0m" : text
  }

  private static func oneLine(_ text: String) -> String {
    PlainText.visible(
      text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
        .joined(separator: " "))
  }
}
