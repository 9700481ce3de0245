// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Where text goes: results to the standard output, everything else to the standard error.
enum Console {
  /// Writes a result.
  static func result(_ text: String) {
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
  }

  /// Writes a result as JSON with sorted keys.
  static func json(_ value: some Encodable) throws { result(try jsonText(value)) }

  /// A value as JSON with sorted keys.
  static func jsonText(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  /// Writes a line of progress or a remark.
  static func note(_ text: String) { standardError(text + "\n") }

  /// Writes a warning, on one line.
  static func warning(_ text: String) {
    standardError(styled("warning:", "33") + " \(oneLine(text))\n")
  }

  /// Writes an error, on one line.
  static func error(_ text: String) {
    standardError(styled("error:", "31") + " \(oneLine(text))\n")
  }

  /// Writes bytes to the standard error as they are.
  static func standardError(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

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
    text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      .joined(separator: " ")
  }
}
