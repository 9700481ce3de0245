// SPDX-License-Identifier: Apache-2.0
import CMUXProcess
import MUXStudies

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// The words of the command line, which lists of processes show to everyone.
enum ShownArguments {
  /// Writes over passwords among them. The program itself keeps its own copy.
  static func hideSecrets() {
    let own = CommandLine.arguments  // copied before anything changes
    var count: Int32 = 0
    guard let words = mux_shown_arguments(&count), Int(count) == own.count else { return }
    for (index, text) in own.enumerated() where index > 0 {
      guard let shown = withoutSecrets(text, after: own[index - 1]), let word = words[index] else {
        continue
      }
      let length = strlen(word)
      let bytes = Array(shown.utf8.prefix(length))
      memset(word, 0, length)
      memcpy(word, bytes, bytes.count)
    }
  }

  /// A message without the passwords that the command line may have brought into it.
  static func withoutSecrets(_ message: String) -> String {
    let own = CommandLine.arguments
    var result = message
    for (index, text) in own.enumerated() where index > 0 {
      guard let shown = withoutSecrets(text, after: own[index - 1]) else { continue }
      result = result.replacing(text, with: shown)
      if let equals = text.firstIndex(of: "="), text.hasPrefix("--") {
        result = result.replacing(
          text[text.index(after: equals)...], with: shown.drop { $0 != "=" }.dropFirst())
      }
    }
    return result
  }

  /// What may be shown of a word; nil where that is all of it.
  private static func withoutSecrets(_ text: String, after previous: String) -> String? {
    let option = "--storage="
    if text.hasPrefix(option) {
      return shown(String(text.dropFirst(option.count))).map { option + $0 }
    }
    guard previous == "--storage" || text.lowercased().contains("postgres") else { return nil }
    return shown(text)
  }

  private static func shown(_ text: String) -> String? {
    let shown = StorageURL.shown(text)
    return shown == text ? nil : shown
  }
}
